"""What happened can be read, and what was can be seen again."""

import random
from datetime import UTC, datetime, timedelta

from service import Client, Service

NOT_COMPARED = {"is_overdue", "activityable", "contact", "assigned_user", "created_by"}


def at(days: int) -> str:
    return (datetime(2030, 1, 1, 12, tzinfo=UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def test_history_tells_every_fact_with_its_circumstances(client: Client) -> None:
    call = client.create(due_at=at(1), tags=["a"])
    client.act(call, "reschedule", new_due_at=at(2), reason="They asked")
    client.act(call, "complete", outcome="Done", completed_at="2025-12-20T16:00:00Z")

    told = client.ok("GET", f"/activities/{call['id']}/history")["data"]

    assert [chapter["type"] for chapter in told] == [
        "activity.created.v1",
        "activity.rescheduled.v1",
        "activity.completed.v1",
    ]
    assert [chapter["version"] for chapter in told] == [1, 2, 3]
    assert [chapter["position"] for chapter in told] == sorted({chapter["position"] for chapter in told})
    moved, completed = told[1], told[2]
    assert moved["actor"] == {"id": client.user, "name": None}
    assert moved["reason"] == "They asked"
    assert moved["changes"]["due_at"] == {"before": at(1), "after": at(2)}
    assert moved["changes"]["rescheduled_count"] == {"before": 0, "after": 1}
    assert moved["happened_at"] == moved["recorded_at"]
    assert completed["happened_at"] == "2025-12-20T16:00:00Z"
    assert completed["recorded_at"] > "2026"
    assert completed["changes"]["status"] == {"before": "pending", "after": "completed"}
    assert len({chapter["command_id"] for chapter in told}) == 3


def test_actors_are_named_as_the_directory_names_them_now(client: Client) -> None:
    client.record("users", client.user, name="First name")
    call = client.create()
    client.record("users", client.user, name="Second name")

    told = client.ok("GET", f"/activities/{call['id']}/history")["data"]

    assert told[0]["actor"] == {"id": client.user, "name": "Second name"}


def test_deleted_activities_have_a_history_for_auditors_only(client: Client, service: Service) -> None:
    call = client.create()
    client.delete(call)

    assert client.ok("GET", f"/activities/{call['id']}/history")["data"][-1]["type"] == "activity.deleted.v1"
    with service.client(client.organization, scopes=("activities:read",)) as other:
        assert other.call("GET", f"/activities/{call['id']}/history").status_code == 404
        assert other.call("GET", f"/activities/{call['id']}", params={"as_of": "1"}).status_code == 404


def test_nobody_reads_the_history_of_another_organisation(client: Client, service: Service) -> None:
    call = client.create()
    with service.client() as stranger:
        assert stranger.call("GET", f"/activities/{call['id']}/history").status_code == 404
        assert stranger.call("GET", f"/activities/{call['id']}", params={"as_of": "1"}).status_code == 404


def test_as_of_a_version_or_an_instant_is_what_was_answered_then(client: Client) -> None:
    """A thousand random instants against the states the service answered with when it made them."""
    chance = random.Random(7)
    call = client.create(due_at=at(0))
    answered = [call]
    for step in range(30):
        answered.append(client.patch(call, due_at=at(step + 1), description=f"Step {step}"))
    recorded = {chapter["version"]: chapter["recorded_at"] for chapter in history(client, call)}
    moments = [datetime.fromisoformat(recorded[state["version"]]) for state in answered]

    for _ in range(1000):
        when = moments[0] + timedelta(
            microseconds=chance.randrange(int((moments[-1] - moments[0]).total_seconds() * 1_000_000) + 1000)
        )
        expected = [state for state, moment in zip(answered, moments, strict=True) if moment <= when][-1]
        assert seen(client, call, when.isoformat().replace("+00:00", "Z")) == stored(expected)
    for state in answered:
        assert seen(client, call, str(state["version"])) == stored(state)


def test_before_it_was_created_there_was_nothing(client: Client) -> None:
    call = client.create()
    for moment in ("2020-01-01T00:00:00Z", "0", "2"):
        assert client.call("GET", f"/activities/{call['id']}", params={"as_of": moment}).status_code == 404


def test_while_it_was_deleted_there_was_nothing_and_restored_it_is_back(client: Client) -> None:
    call = client.create()
    client.delete(call)
    client.act(call, "restore")
    statuses = [
        client.call("GET", f"/activities/{call['id']}", params={"as_of": str(version)}).status_code
        for version in (1, 2, 3)
    ]
    assert statuses == [200, 404, 200]


def test_a_moment_that_is_none_is_refused_by_name(client: Client) -> None:
    call = client.create()
    for moment in ("yesterday", "2025-12-20", "2025-12-20T14:00:00", "-1"):
        reply = client.call("GET", f"/activities/{call['id']}", params={"as_of": moment})
        assert reply.status_code == 422
        assert "as_of" in reply.json()["errors"]


def history(client: Client, call: dict[str, object]) -> list[dict[str, object]]:
    told: list[dict[str, object]] = client.ok("GET", f"/activities/{call['id']}/history")["data"]
    return told


def seen(client: Client, call: dict[str, object], moment: str) -> dict[str, object]:
    return stored(client.ok("GET", f"/activities/{call['id']}", params={"as_of": moment})["data"])


def stored(state: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if name not in NOT_COMPARED}
