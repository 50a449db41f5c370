"""API keys: made once and shown once, known by what nobody can turn back, ended for ever, and all of it recorded."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from service import SURFACE, Client, Json, Service, eventually

from api.http.tokens import DEFAULT_SCOPES
from application.api_key.administration import create_api_key, list_api_keys, revoke_api_key
from application.oversight.operator import operator
from domain.refusals import Unknown

ADMIN = (*DEFAULT_SCOPES, "admin")
ROUNDS = range(12)
"""So many requests reach each of two workers, in all likelihood."""


@pytest.fixture
def admin(service: Service) -> Iterator[Client]:
    with service.client(user="boss", scopes=ADMIN) as admin:
        yield admin


def make(admin: Client, name: str = "zapier", **said: Any) -> Json:
    made: Json = admin.ok("POST", "/api-keys", {"name": name, **said})["data"]
    return made


def statuses(admin: Client, key: str, path: str = "/activity-types") -> set[int]:
    """How the workers answer to the key: each request on a connection of its own."""
    url = f"{admin.service.url}{SURFACE}{path}"
    said = {"X-API-Key": key, "X-Acting-User-ID": "u-1"}
    return {httpx.get(url, headers=said).status_code for _ in ROUNDS}


def everything_stored(service: Service) -> str:
    with psycopg.connect(service.dsn) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'activities'::regnamespace and relkind = 'r'"
        ).fetchall()
        rows = [connection.execute(f"select t::text from activities.{name} t").fetchall() for (name,) in tables]
        states = connection.execute("select convert_from(state, 'utf8') from activities.events").fetchall()
        bodies = connection.execute("select convert_from(body, 'utf8') from activities.idempotency").fetchall()
    return repr([rows, states, bodies])


def test_a_key_works_at_once_on_every_worker(admin: Client) -> None:
    made = make(admin)
    assert made["key"].startswith(f"crm_{made['id']}_")
    assert made["created_by"] == "boss"
    assert statuses(admin, made["key"]) == {200}


def test_a_revoked_key_has_ended_on_every_worker_when_the_answer_comes(admin: Client) -> None:
    made = make(admin)
    assert statuses(admin, made["key"]) == {200}
    ended = admin.ok("DELETE", f"/api-keys/{made['id'].lower()}")
    assert ended["message"] == "API key revoked successfully"
    assert ended["data"]["revoked_at"]
    assert statuses(admin, made["key"]) == {401}


def test_the_secret_is_shown_once_and_stored_nowhere(admin: Client, service: Service) -> None:
    keys = [make(admin)["key"], _made_with(admin, "a retry key", "zapier").json()["data"]["key"]]
    assert statuses(admin, keys[0]) == {200}
    listed = admin.call("GET", "/api-keys").text
    stored = everything_stored(service)
    for key in keys:
        _, key_id, secret = key.split("_")
        assert key_id in stored and key_id in listed
        assert secret not in stored and secret not in listed
    assert "hmac" not in listed


def test_keys_are_facts_of_the_organization(admin: Client) -> None:
    made = make(admin, scopes=["records:read", "activities:read", "records:read"])
    admin.ok("DELETE", f"/api-keys/{made['id']}")
    admin.ok("DELETE", f"/api-keys/{made['id']}")
    [(created, said), (revoked, _)] = admin.log()
    assert (created, revoked) == ("api_key.created.v1", "api_key.revoked.v1")
    assert (said["id"], said["label"], said["created_by"]) == (made["id"], "zapier", "boss")
    assert list(said["scopes"]) == ["activities:read", "records:read"] == made["scopes"]
    assert made["key"].rpartition("_")[2] not in said["secret_hmac"]


def test_unless_told_otherwise_a_key_may_do_all_but_administer(admin: Client) -> None:
    made = make(admin)
    assert made["scopes"] == list(DEFAULT_SCOPES)
    assert statuses(admin, made["key"], "/api-keys") == {403}
    assert statuses(admin, make(admin, scopes=["admin"])["key"], "/api-keys") == {200}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "n" * 256}, "name"),
        ({"name": "z", "scopes": []}, "scopes"),
        ({"name": "z", "scopes": ["everything"]}, "scopes.0"),
        ({"name": "z", "scopes": "admin"}, "scopes"),
        ({"name": "z", "secret_hmac": "00"}, "secret_hmac"),
        ({"name": "z", "id": "00"}, "id"),
    ],
)
def test_what_a_key_cannot_be_is_refused_by_field(admin: Client, said: Json, field: str) -> None:
    answer = admin.call("POST", "/api-keys", said)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert admin.recorded() == 0


def test_only_administrators_deal_in_keys(admin: Client, service: Service) -> None:
    made = make(admin)
    with service.client(admin.organization) as user:
        assert user.call("POST", "/api-keys", {"name": "mine"}).status_code == 403
        assert user.call("GET", "/api-keys").status_code == 403
        assert user.call("DELETE", f"/api-keys/{made['id']}").status_code == 403
    assert statuses(admin, made["key"]) == {200}


def test_another_organization_neither_sees_nor_ends_a_key(admin: Client, service: Service) -> None:
    made = make(admin, "a name of ours")
    with service.client(scopes=ADMIN) as foreign:
        assert foreign.ok("GET", "/api-keys")["data"] == []
        theirs = foreign.call("DELETE", f"/api-keys/{made['id']}")
        unknown = foreign.call("DELETE", "/api-keys/01JFJ0000000000000000000AA")
        assert theirs.status_code == unknown.status_code == 404
        assert theirs.json()["detail"] == unknown.json()["detail"]
        assert foreign.call("DELETE", "/api-keys/nonsense").status_code == 404
    assert statuses(admin, made["key"]) == {200}


def test_a_key_is_no_activity_and_an_activity_no_key(admin: Client) -> None:
    admin.record()
    made, activity = make(admin), admin.create()
    assert admin.call("GET", f"/activities/{made['id']}").status_code == 404
    assert admin.call("POST", f"/activities/{made['id']}/start").status_code == 404
    assert admin.call("DELETE", f"/api-keys/{activity['id']}").status_code == 404


def test_the_list_goes_by_pages_and_by_cursor(admin: Client) -> None:
    made = [make(admin, f"key {n}")["id"] for n in range(5)]
    admin.ok("DELETE", f"/api-keys/{made[0]}")
    first = admin.ok("GET", "/api-keys?per_page=2")
    assert [key["id"] for key in first["data"]] == made[:2]
    assert first["data"][0]["revoked_at"] and not first["data"][1]["revoked_at"]
    assert (first["meta"]["total"], first["meta"]["last_page"]) == (5, 3)
    second = admin.ok("GET", "/api-keys", params={"per_page": 2, "cursor": first["meta"]["next_cursor"]})
    assert [key["id"] for key in second["data"]] == made[2:4]
    assert admin.rows("/api-keys", per_page=2, page=3)[0]["id"] == made[4]
    assert admin.call("GET", "/api-keys?cursor=x").status_code == 422


def test_a_repeated_request_is_answered_with_the_same_key(admin: Client) -> None:
    first, again = _made_with(admin, "k-1", "zapier"), _made_with(admin, "k-1", "zapier")
    assert first.json() == again.json()
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert first.headers["audit-receipt"] == again.headers["audit-receipt"]
    assert admin.recorded() == 1
    assert statuses(admin, first.json()["data"]["key"]) == {200}
    other = _made_with(admin, "k-1", "another name")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert _made_with(admin, "k-2", "zapier").json()["data"]["id"] != first.json()["data"]["id"]


def _made_with(admin: Client, retry_key: str, name: str) -> httpx.Response:
    return admin.call("POST", "/api-keys", {"name": name}, headers={"Idempotency-Key": retry_key})


def test_the_last_use_is_remembered_once_a_minute(admin: Client) -> None:
    made = make(admin)
    assert admin.rows("/api-keys")[0]["last_used_at"] is None
    statuses(admin, made["key"])
    eventually(lambda: admin.rows("/api-keys")[0]["last_used_at"] is not None, 5, "the use was remembered")
    before = admin.rows("/api-keys")[0]["last_used_at"]
    statuses(admin, made["key"])
    assert admin.rows("/api-keys")[0]["last_used_at"] == before


def test_a_wrong_secret_is_no_use_of_the_key(admin: Client) -> None:
    made = make(admin)
    wrong = made["key"][:-1] + ("0" if made["key"][-1] != "0" else "1")
    assert statuses(admin, wrong) == {401}
    assert admin.rows("/api-keys")[0]["last_used_at"] is None


def test_from_the_command_line_keys_are_made_listed_and_revoked(admin: Client, service: Service) -> None:
    organization, pepper = admin.organization, service.pepper()
    key = create_api_key(service.dsn, organization, "nightly", ["activities:read"], pepper=pepper)
    [shown] = list_api_keys(service.dsn, organization)
    assert (shown.name, list(shown.scopes), shown.created_by) == (
        "nightly",
        ["activities:read"],
        operator().user_id,
    )
    assert statuses(admin, key) == {200}
    with pytest.raises(Unknown):
        revoke_api_key(service.dsn, "another organization", shown.id)
    revoke_api_key(service.dsn, None, shown.id.lower())
    assert statuses(admin, key) == {401}
    assert list_api_keys(service.dsn, organization)[0].revoked_at


def test_from_the_command_line_what_cannot_be_is_refused(service: Service) -> None:
    for name, scopes in ((" ", DEFAULT_SCOPES), ("x", ["everything"]), ("x", [])):
        with pytest.raises(ValueError):
            create_api_key(service.dsn, "acme", name, scopes, pepper="p")
    for key_id in ("nonsense", "01JFJ0000000000000000000AA"):
        with pytest.raises(Unknown):
            revoke_api_key(service.dsn, None, key_id)


def test_no_log_tells_a_secret(admin: Client, service: Service) -> None:
    key = make(admin)["key"]
    statuses(admin, key)
    statuses(admin, key[:-1] + "g")
    assert key.rpartition("_")[2][:-1] not in service.said()
