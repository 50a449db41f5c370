"""One action on many: each has its result, atomic is all or nothing, a dry run does nothing."""

import json
from typing import Any

import pytest
from service import Client

Json = dict[str, Any]
BULK = "/activities/bulk-actions"


def bulk(client: Client, action: str, activities: list[Json | str], **more: Any) -> tuple[int, Json]:
    ids = [a if isinstance(a, str) else a["id"] for a in activities]
    reply = client.call("POST", BULK, {"action": action, "activity_ids": ids, **more})
    return reply.status_code, reply.json()


@pytest.mark.parametrize(
    ("action", "parameters", "status", "field", "value"),
    [
        ("cancel", {"reason": "Stale"}, "pending", "status", "cancelled"),
        ("complete", {"outcome": "Done", "tags": ["z"]}, "pending", "status", "completed"),
        ("reschedule", {"new_due_at": "2031-01-01T00:00:00Z"}, "pending", "due_at", "2031-01-01T00:00:00Z"),
        ("assign", {"assigned_user_id": "u-1"}, "pending", "assigned_user_id", "u-1"),
        ("set_priority", {"priority": "URGENT"}, "pending", "priority", "urgent"),
        ("add_tags", {"tags": ["b", "a"]}, "pending", "tags", ["a", "b"]),
        ("remove_tags", {"tags": ["a"]}, "pending", "tags", []),
        ("start", {}, "pending", "status", "in_progress"),
        ("defer", {"reason": "Later"}, "pending", "status", "deferred"),
        ("wait", {}, "pending", "status", "waiting"),
        ("resume", {}, "waiting", "status", "pending"),
    ],
)
def test_every_action_can_be_done_to_many(
    client: Client, action: str, parameters: Json, status: str, field: str, value: object
) -> None:
    calls: list[Json | str] = [client.create(status=status, tags=["a"]) for _ in range(3)]

    code, body = bulk(client, action, calls, parameters=parameters)

    assert code == 200
    assert body["data"]["succeeded"] == 3
    assert [client.get(call)[field] for call in calls] == [value] * 3


def test_deleting_and_restoring_many(client: Client) -> None:
    calls: list[Json | str] = [client.create() for _ in range(2)]

    assert bulk(client, "delete", calls)[0] == 200
    assert client.rows() == []
    assert bulk(client, "restore", calls)[0] == 200
    assert len(client.rows()) == 2


def test_a_refusal_touches_only_its_own_activity(client: Client) -> None:
    good, done = client.create(), client.create_in("completed")

    code, body = bulk(client, "cancel", [good, done, "nonsense", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])

    assert code == 207
    results = body["data"]["results"]
    assert [result["ok"] for result in results] == [True, False, False, False]
    assert results[1]["problem"]["status"] == 409
    assert results[1]["problem"]["allowed_actions"] == ["update", "delete"]
    assert [result["problem"]["status"] for result in results[2:]] == [404, 404]
    assert client.get(good)["status"] == "cancelled"


def test_atomic_with_a_refusal_does_nothing(client: Client) -> None:
    good, done = client.create(), client.create_in("completed")
    before = client.recorded()

    code, body = bulk(client, "cancel", [good, done], atomic=True)

    assert code == 409
    assert [result["ok"] for result in body["results"]] == [True, False]
    assert client.recorded() == before
    assert bulk(client, "cancel", [good], atomic=True)[0] == 200


def test_a_dry_run_says_what_would_happen_and_does_nothing(client: Client) -> None:
    good, done = client.create(), client.create_in("completed")
    before = client.recorded()

    code, body = bulk(client, "cancel", [good, done], dry_run=True)

    assert code == 207
    assert (body["data"]["succeeded"], body["data"]["failed"], body["data"]["dry_run"]) == (1, 1, True)
    assert client.recorded() == before


def test_doubles_are_folded_in_either_case(client: Client) -> None:
    call = client.create()

    code, body = bulk(client, "cancel", [call["id"], call["id"].lower(), call])

    assert code == 200
    assert [result["id"] for result in body["data"]["results"]] == [call["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "explode", "activity_ids": ["x"]}, "action"),
        ({"action": "cancel", "activity_ids": []}, "activity_ids"),
        ({"action": "cancel", "activity_ids": ["x"] * 501}, "activity_ids"),
        ({"action": "cancel", "activity_ids": ["x"], "parameters": {"nonsense": 1}}, "parameters.nonsense"),
        ({"action": "reschedule", "activity_ids": ["x"]}, "parameters.new_due_at"),
        ({"action": "assign", "activity_ids": ["x"], "parameters": {}}, "parameters.assigned_user_id"),
        ({"action": "cancel", "activity_ids": ["x"], "atomic": "yes"}, "atomic"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(client: Client, body: Json, field: str) -> None:
    reply = client.call("POST", BULK, body)
    assert reply.status_code == 422
    assert field in reply.json()["errors"]


def test_an_unknown_assignee_is_refused_one_by_one(client: Client) -> None:
    code, body = bulk(client, "assign", [client.create()], parameters={"assigned_user_id": "nobody"})
    assert code == 207
    assert body["data"]["results"][0]["problem"]["code"] == "related_entity_not_found"


def test_five_hundred_at_once_are_one_batch(client: Client) -> None:
    calls: list[Json | str] = [client.create() for _ in range(20)]
    unknown = [f"01ARZ3NDEKTSV4RRFF{number:08}" for number in range(480)]
    before = client.recorded()

    code, body = bulk(client, "cancel", [*calls, *unknown], parameters={"reason": "Stale"})

    assert code == 207
    assert (body["data"]["succeeded"], body["data"]["failed"]) == (20, 480)
    assert client.recorded() == before + 20
    told = [client.ok("GET", f"/activities/{call['id']}/history")["data"] for call in calls if isinstance(call, dict)]
    assert len({chapters[-1]["command_id"] for chapters in told}) == 1


def test_a_repetition_with_the_same_key_does_nothing_again(client: Client) -> None:
    call = client.create()
    body = {"action": "add_tags", "activity_ids": [call["id"]], "parameters": {"tags": ["x"]}}
    headers = {"Idempotency-Key": "bulk-1", "Content-Type": "application/json"}

    first = client.http.post(BULK, content=json.dumps(body), headers=headers)
    again = client.http.post(BULK, content=json.dumps(body), headers=headers)

    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert client.get(call)["version"] == 2
