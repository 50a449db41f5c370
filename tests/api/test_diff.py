"""Two moments of an activity compared: what differs, and who made it so by which command."""

import random
from itertools import combinations

import pytest
from service import Client, Json, Service

FOLLOWS = {"version", "updated_at", "allowed_actions", "duration_minutes", "is_overdue"}
NAMES = {"activityable", "contact", "assigned_user", "created_by"}


def diff(client: Client, call: Json, **asked: object) -> Json:
    data: Json = client.ok("GET", f"/activities/{call['id']}/diff", params=asked)["data"]
    return data


def history(client: Client, call: Json) -> list[Json]:
    data: list[Json] = client.ok("GET", f"/activities/{call['id']}/history")["data"]
    return data


def test_each_difference_is_told_with_the_facts_that_caused_it(client: Client, service: Service) -> None:
    client.record("users", "u-2", name="Second user")
    call = client.create(due_at="2030-01-01T00:00:00Z", priority="low")
    client.patch(call, subject="Another subject")
    with service.client(client.organization, "u-2") as other:
        other.act(call, "reschedule", new_due_at="2030-02-01T00:00:00Z", reason="They asked")
    client.act(call, "reschedule", new_due_at="2030-03-01T00:00:00Z")
    _, _, moved, again = history(client, call)

    told = diff(client, call)

    assert told["changes"].keys() == {"subject", "due_at", "previous_due_at", "rescheduled_count"}
    due = told["changes"]["due_at"]
    assert (due["before"], due["after"]) == ("2030-01-01T00:00:00Z", "2030-03-01T00:00:00Z")
    first, second = due["events"]
    assert first == {name: value for name, value in moved.items() if name != "changes"} | moved["changes"]["due_at"]
    assert first["actor"] == {"id": "u-2", "name": "Second user"}
    assert first["reason"] == "They asked"
    assert second["command_id"] == again["command_id"]
    assert second["before"] == first["after"]
    assert (told["from"]["version"], told["to"]["version"]) == (1, 4)


def test_what_was_changed_and_changed_back_does_not_differ(client: Client) -> None:
    call = client.create(subject="One")
    client.patch(call, subject="Other")
    client.patch(call, subject="One")
    assert diff(client, call)["changes"] == {}
    assert diff(client, call, to=2)["changes"]["subject"]["after"] == "Other"


def test_any_two_moments_differ_as_the_activity_then_and_then_does(client: Client) -> None:
    """Versions, positions and instants say the same; and what differs is what as_of shows differently."""
    chance = random.Random(3)
    call = client.create(due_at="2030-01-01T00:00:00Z")
    for step in range(12):
        chance.choice(
            [
                lambda step=step: client.patch(call, description=f"Step {step}", tags=[str(step % 3)]),
                lambda step=step: client.act(call, "reschedule", new_due_at=f"2030-01-{step + 2:02}T00:00:00Z"),
                lambda: client.patch(call, custom_fields={"n": chance.choice([1, True, None])}),
            ]
        )()
    facts = history(client, call)
    states = [seen(client, call, fact["version"]) for fact in facts]

    for start, end in combinations(range(len(facts)), 2):
        by_version = diff(client, call, **{"from": facts[start]["version"], "to": facts[end]["version"]})
        expected = {
            name: (states[start][name], value)
            for name, value in states[end].items()
            if repr(states[start][name]) != repr(value)
        }
        assert {n: (c["before"], c["after"]) for n, c in by_version["changes"].items()} == expected
        for change in by_version["changes"].values():
            assert change["events"]
            assert change["events"][-1]["after"] == change["after"]
            assert facts[start]["version"] < change["events"][0]["version"]
            assert change["events"][-1]["version"] <= facts[end]["version"]
    by_position = diff(client, call, **{"from": f"position:{facts[2]['position']}", "to": facts[9]["recorded_at"]})
    assert by_position == diff(client, call, **{"from": facts[2]["version"], "to": facts[9]["version"]})


def test_before_it_was_created_there_was_nothing(client: Client) -> None:
    call = client.create(subject="New")
    told = diff(client, call, **{"from": 0})
    assert told["from"] is None
    assert told["changes"]["subject"]["before"] is None
    assert told["changes"]["subject"]["after"] == "New"
    assert diff(client, call, **{"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"})["changes"] == {}


def test_what_had_happened_and_what_was_known_are_kept_apart(client: Client) -> None:
    call = client.create()
    client.act(call, "complete", completed_at="2025-12-20T16:00:00Z", outcome="Agreed")
    window = {"from": "2025-12-01T00:00:00Z", "to": "2025-12-31T00:00:00Z"}

    assert diff(client, call, **window)["changes"] == {}
    happened = diff(client, call, by="happened_at", **window)
    assert happened["from"] is None
    assert happened["changes"]["status"]["after"] == "completed"
    assert happened["changes"]["outcome"]["events"][0]["happened_at"] == "2025-12-20T16:00:00Z"


def test_deleted_ones_are_for_auditors(client: Client, service: Service) -> None:
    call = client.create()
    client.delete(call)
    assert diff(client, call)["changes"]["deleted_at"]["before"] is None
    with service.client(client.organization, scopes=("activities:read",)) as other, service.client() as stranger:
        for nobody in (other, stranger):
            assert nobody.call("GET", f"/activities/{call['id']}/diff").status_code == 404


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "position:x"}, "to"),
        ({"to": "3"}, "to"),
        ({"from": "2", "to": "1"}, "from"),
        ({"from": "1", "by": "happened_at"}, "from"),
        ({"by": "heart"}, "by"),
        ({"until": "1"}, "until"),
    ],
    ids=str,
)
def test_nonsense_is_refused_by_name(client: Client, asked: dict[str, str], field: str) -> None:
    call = client.create()
    client.patch(call, subject="Two")
    reply = client.call("GET", f"/activities/{call['id']}/diff", params=asked)
    assert reply.status_code == 422
    assert field in reply.json()["errors"]


def seen(client: Client, call: Json, version: int) -> Json:
    state = client.ok("GET", f"/activities/{call['id']}", params={"as_of": version})["data"]
    return {name: value for name, value in state.items() if name not in FOLLOWS | NAMES}
