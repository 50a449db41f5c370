"""What auditors ask over HTTP, and what every command is answered with so that they have something to ask about."""

from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from accounts import A_VISIT, Accounts, key_of
from service import A_CALL, Client, Json, Service, eventually, id_of

from api.http.tokens import SCOPES
from application.proof.leaf import Leaves, instant
from application.proof.merkle import consistent, includes
from application.proof.notes import Checkpoint, VerifierKey
from application.proof.receipts import Promise

RECEIPT = "Audit-Receipt"


@pytest.fixture
def auditor(service: Service, client: Client) -> Any:
    with service.client(client.organization, "auditor", scopes=("audit:read",)) as auditor:
        yield auditor


def asked(client: Client, path: str, **params: Any) -> Json:
    data: Json = client.ok("GET", f"/audit/{path}", params=params)["data"]
    return data


def key_here(client: Client) -> VerifierKey:
    told = asked(client, "key")
    return VerifierKey(told["origin"], bytes.fromhex(told["public_key"]))


def bytes_of(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def leaves_of(client: Client, promise: Promise) -> list[bytes]:
    """The leaves of the events a receipt speaks of, by their proofs, each of which must hold."""
    leaves = []
    for position in range(promise.first, promise.last + 1):
        told = asked(client, "proofs/inclusion", position=position)
        leaf, root = bytes.fromhex(told["leaf"]), bytes.fromhex(told["root"])
        assert Checkpoint.read(told["note"], key_here(client)) == Checkpoint(
            key_here(client).origin, told["size"], root
        )
        assert includes(position - 1, leaf, told["size"], bytes_of(told["hashes"]), root)
        leaves.append(leaf)
    return leaves


def test_every_command_on_either_surface_is_answered_with_a_receipt_that_is_kept(
    client: Client, auditor: Client
) -> None:
    surface_t = Accounts(client)
    surface_t.headers["X-API-Key"] = key_of(client)
    client.record("accounts", "a-1")
    made = client.call("POST", "/activities", dict(A_CALL))
    activity = made.json()["data"]
    bulk = {
        "action": "add_tags",
        "activity_ids": [activity["id"], id_of(client.create())],
        "parameters": {"tags": ["x"]},
    }
    visit = A_VISIT | {"accountId": "a-1"}
    cancelling = {"reschedule": True, "reschedule_date": "2031-01-01T00:00:00Z"}
    replies = {
        "create": made,
        "record": client.call("PUT", "/customers/c-2", {"name": "Another"}),
        "bulk": client.call("POST", "/activities/bulk-actions", bulk),
        "cancel with a successor": client.call("POST", f"/activities/{activity['id']}/cancel", cancelling),
        "surface T": client.call(
            "POST", f"{client.service.url}/v1/accounts/activities", visit, headers=surface_t.headers
        ),
    }
    client.await_checkpoint()
    for what, reply in replies.items():
        assert reply.is_success, (what, reply.text)
        promise = Promise.read(reply.headers[RECEIPT])
        assert promise.kept(leaves_of(auditor, promise)), what
    assert "-" in replies["bulk"].headers[RECEIPT].partition(":")[0], "several events, one receipt"


def test_a_receipt_can_be_derived_from_the_stored_row_alone(client: Client) -> None:
    reply = client.call("POST", "/activities", dict(A_CALL), headers={"X-Request-ID": "r-1"})
    promise = Promise.read(reply.headers[RECEIPT])
    [row] = client._from_database(
        "select position, originator_id, originator_version, topic, recorded_at, metadata, state"
        f" from activities.events where organization_id = %s and position = {promise.first}"
    )
    position, stream, version, topic, recorded_at, metadata, state = row
    assert isinstance(stream, UUID)
    leaf = Leaves(client.organization).of(
        position, stream, version, topic, instant(recorded_at), metadata, bytes(state)
    )
    assert promise.kept([leaf])


def test_a_repeated_command_is_answered_with_the_same_receipt(client: Client) -> None:
    key = {"Idempotency-Key": "the same"}
    first = client.call("POST", "/activities", dict(A_CALL), headers=key)
    again = client.call("POST", "/activities", dict(A_CALL), headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers[RECEIPT] == first.headers[RECEIPT]


def test_what_records_nothing_has_no_receipt(client: Client) -> None:
    activity = client.create(subject="As it is")
    unchanged = client.call("PATCH", f"/activities/{activity['id']}", {"subject": "As it is"})
    refused = client.call("POST", f"/activities/{activity['id']}/restore", {})
    read = client.call("GET", f"/activities/{activity['id']}")
    assert (unchanged.status_code, read.status_code) == (200, 200)
    assert refused.is_client_error or refused.is_success
    assert RECEIPT not in unchanged.headers
    assert RECEIPT not in read.headers


def test_a_checkpoint_says_how_much_is_signed_and_verifies(client: Client, auditor: Client) -> None:
    client.create()
    client.await_checkpoint()
    told = asked(auditor, "checkpoint")
    signed = Checkpoint.read(told["note"], key_here(auditor))
    assert (signed.size, signed.root.hex()) == (told["size"], told["root"])
    assert (told["size"], told["unsigned"], told["alarm"]) == (client.recorded(), 0, None)
    assert signed.origin == f"activities/{client.organization}"


def test_growth_is_proved(client: Client, auditor: Client) -> None:
    client.create()
    client.await_checkpoint()
    before = asked(auditor, "checkpoint")
    for _ in range(5):
        client.create()
    client.await_checkpoint()
    after = asked(auditor, "checkpoint")
    told = asked(auditor, "proofs/consistency", **{"from": before["size"]})
    assert (told["to"], told["from_root"], told["to_root"]) == (after["size"], before["root"], after["root"])
    roots = bytes.fromhex(before["root"]), bytes.fromhex(after["root"])
    assert consistent(before["size"], after["size"], *roots, bytes_of(told["hashes"]))


def test_what_is_not_signed_yet_cannot_be_proved(client: Client, auditor: Client) -> None:
    client.await_checkpoint()
    size = asked(auditor, "checkpoint")["size"]
    for path, params in (
        ("proofs/inclusion", {"position": size + 1000}),
        ("proofs/consistency", {"from": 1, "to": size + 1000}),
    ):
        reply = auditor.call("GET", f"/audit/{path}", params=params)
        assert reply.status_code == 404
        assert "under no checkpoint yet" in reply.json()["detail"]
    for params in ({"position": 0}, {"position": "1e3"}, {"position": -1}, {}):
        assert auditor.call("GET", "/audit/proofs/inclusion", params=params).status_code == 422
    backwards = auditor.call("GET", "/audit/proofs/consistency", params={"from": 2, "to": 1})
    assert backwards.status_code == 422
    assert list(backwards.json()["errors"]) == ["from"]


def test_an_organisation_without_events_has_no_checkpoint(service: Service) -> None:
    with service.client(scopes=SCOPES) as nobody:
        reply = nobody.call("GET", "/audit/checkpoint")
        assert reply.status_code == 404
        assert "Nothing is signed yet" in reply.json()["detail"]


def rewrite(client: Client, actor: str) -> None:
    """As superuser: another actor in the first event, and the whole tree grown anew over it."""
    mine = f"organization_id = '{client.organization}'"
    with psycopg.connect(client.service.dsn, options="-c search_path=activities") as superuser:
        superuser.execute(
            "update events set metadata = metadata || jsonb_build_object('actor', %s::text)"
            f" where {mine} and position = 1",
            (actor,),
        )
        superuser.execute(f"delete from audit_tiles where {mine}")
        superuser.execute(f"update cursors set position = 0 where {mine} and read_model = 'audit_tree'")


def test_readiness_metrics_and_the_organisation_itself_are_told_of_an_alarm(client: Client) -> None:
    def ready() -> Json:
        told: Json = httpx.get(f"{client.service.url}/health/ready").json()
        return told

    def alarm() -> str:
        told = asked(client, "checkpoint")["alarm"] or {"position": 0, "reason": ""}
        return f"{told['position']} {told['reason']}"

    client.create()
    client.await_checkpoint()
    rewrite(client, "somebody-else")
    client.create()
    eventually(lambda: "1 or one after it" in alarm() and alarm().endswith("is not what was signed"), 60, "an alarm")
    eventually(lambda: ready().get("audit") == "logs the signer refuses to sign: 1", 60, "degraded")
    assert ready()["status"] == "degraded"
    assert "activities_audit_alarms 1.0" in httpx.get(f"{client.service.url}/metrics").text

    rewrite(client, client.user)
    eventually(lambda: ready() == {"status": "ready"}, 60, "ready again")
    client.await_checkpoint()
