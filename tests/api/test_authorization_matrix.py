"""Every operation the router has, asked by everybody: by those who may, by strangers, and by those who no longer may.

An operation that is added shows up here by itself; if it needs a body, or an activity that has come some way, say so
in BODIES or in BEFORE.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from accounts import A_VISIT, key_of
from operations import Operation, operations
from service import A_CALL, SECRET, Client, Json, Service

from api.http.tokens import DEFAULT_SCOPES, SCOPES, issue

ALL = operations()
READ_ONLY = tuple(scope for scope in SCOPES if scope.endswith(":read"))
CANARY = "canary"
"""Stands in everything of ours that could leak."""
UNKNOWN = "01JFJ0000000000000000000AA"
S, T = "/api/v1/crm", "/v1/accounts"

BODIES: Mapping[str, Any] = {
    f"POST {S}/activities": {**A_CALL, "activityable_id": "made"},
    f"POST {S}/activities/bulk-actions": {"action": "delete", "activity_ids": [UNKNOWN], "dry_run": True},
    f"POST {S}/activities/{{activity_id}}/reschedule": {"new_due_at": "2031-01-01T00:00:00Z"},
    f"POST {S}/api-keys": {"name": "a key"},
    f"POST {S}/participants/erase": {"basis": "objection", "email": "nobody@test.example"},
    **{
        f"POST {S}/{noun}/{{record_id}}/erase": {"basis": "objection"}
        for noun in ("leads", "customers", "contacts", "users")
    },
    f"POST {T}/activities": {**A_VISIT, "accountId": "made"},
    **{
        f"{method} {S}/{noun}{rest}": {"name": "made"}
        for noun in ("leads", "customers", "opportunities", "contacts", "accounts", "users")
        for method, rest in (("POST", ""), ("PUT", "/{record_id}"))
    },
}
BEFORE: Mapping[str, Callable[[Client, Json], Any]] = {
    "resume": lambda client, activity: client.act(activity, "wait"),
    "recreate": lambda client, activity: client.act(activity, "cancel"),
    "restore": lambda client, activity: client.delete(activity),
}
QUERIES: Mapping[str, Any] = {
    f"GET {S}/activities/search": {"q": CANARY},
    f"GET {S}/audit/proofs/inclusion": {"position": 1},
    f"GET {S}/audit/proofs/consistency": {"from": 1},
}
UPSERT = "PUT"
"""A PUT of a record under an id that is free makes it: in the organisation of who asks."""

each = pytest.mark.parametrize("operation", ALL, ids=str)


@dataclass
class Owner:
    """Our organisation, which has one of everything, and what a caller of any kind has in hand."""

    client: Client
    key: str
    revoked: str

    def target(self, operation: Operation) -> str:
        """The path of something of ours the operation can be done to."""
        if "{" not in operation.path:
            return operation.path
        what, _, rest = operation.path.removeprefix(S).removeprefix(T).strip("/").partition("/")
        return _filled(operation, self._id(what, rest))

    def _id(self, what: str, rest: str) -> str:
        if what == "activities":
            return self._activity(rest.rpartition("/")[2])
        if what == "api-keys":
            return key_of(self.client).split("_")[1]
        return self.client.record(what, f"{CANARY}-{uuid4().hex}")

    def _activity(self, action: str) -> str:
        """One that stands where the action can be done to it, on either surface."""
        self.client.record("accounts", f"{CANARY}-account")
        activity = self.client.create(
            subject=f"{CANARY} call",
            activityable_type="account",
            activityable_id=f"{CANARY}-account",
            attachment_urls=["https://example.test/a"],
        )
        BEFORE.get(action, lambda *_: None)(self.client, activity)
        return str(activity["id"])


def _filled(operation: Operation, id: str) -> str:
    """The path with an id in place of each kind of id, and the first of what is counted."""
    path = re.sub(r"attachments/{\w+}", "attachments/0", operation.path)
    return re.sub(r"{\w+}", id, path)


@pytest.fixture(scope="module")
def owner(service: Service) -> Iterator[Owner]:
    with service.client(f"{CANARY}-{uuid4().hex}", user=f"{CANARY}-user") as client:
        key, revoked = key_of(client, *SCOPES), key_of(client, *SCOPES)
        with service.client(client.organization, "administrator", scopes=("admin",)) as administrator:
            administrator.ok("DELETE", f"/api-keys/{revoked.split('_')[1]}")
        client.await_checkpoint()
        yield Owner(client, key, revoked)


@pytest.fixture(scope="module")
def stranger(service: Service) -> Iterator[Owner]:
    """Somebody of another organisation, with every right there."""
    with service.client(f"strange-{uuid4().hex}") as client:
        key = key_of(client, *SCOPES)
        client.record("customers", "made")
        client.record("accounts", "made")
        client.await_checkpoint()
        yield Owner(client, key, key)


def token_of(who: Owner, scopes: tuple[str, ...] = SCOPES, ttl: int = 600) -> str:
    organization, user = who.client.organization, who.client.user
    return issue(SECRET, organization=organization, user=user, scopes=scopes, ttl=ttl, now=time.time())


def ask(who: Owner, operation: Operation, path: str, token: str | None, key: str | None = None) -> httpx.Response:
    """With the headers the surface wants; None is no credential."""
    headers = {"X-Organization-ID": who.client.organization}
    if token is not None:
        headers |= {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers |= {"X-API-Key": key}
    body = BODIES.get(str(operation), None if operation.reads or operation.method == "DELETE" else {})
    url = f"{who.client.service.url}{path}"
    query = QUERIES.get(str(operation))
    return httpx.request(operation.method, url, headers=headers, json=body, params=query, timeout=30)


@each
def test_who_may_is_served(owner: Owner, operation: Operation) -> None:
    owner.client.record("customers", "made")
    owner.client.record("accounts", "made")
    answer = ask(owner, operation, owner.target(operation), token_of(owner), owner.key)
    assert answer.is_success, f"{answer.text}\nDoes it need a body? See BODIES and BEFORE."
    assert answer.json()["success"] is True


@each
def test_a_stranger_is_answered_as_if_there_were_nothing(owner: Owner, stranger: Owner, operation: Operation) -> None:
    path = owner.target(operation)
    before = owner.client.recorded()
    ours = ask(stranger, operation, path, token_of(stranger), stranger.key)
    unknown = ask(stranger, operation, _filled(operation, _unknown_id(path)), token_of(stranger), stranger.key)
    if "{" in operation.path and not (operation.method == UPSERT and "{record_id}" in operation.path):
        assert ours.status_code == unknown.status_code == 404
        assert _but_for_the_request(ours) == _but_for_the_request(unknown)
    else:
        assert ours.is_success
        assert CANARY not in ours.text.replace(path.rpartition("/")[2], "")
    assert owner.client.recorded() == before


def _unknown_id(path: str) -> str:
    return UNKNOWN if CANARY not in path else f"unknown-{uuid4().hex}"


def _but_for_the_request(answer: httpx.Response) -> Json:
    return {name: value for name, value in answer.json().items() if name not in ("request_id", "instance")}


@each
def test_who_may_only_read_changes_nothing(owner: Owner, operation: Operation) -> None:
    path = owner.target(operation)
    before = owner.client.recorded()
    answer = ask(owner, operation, path, token_of(owner, READ_ONLY), owner.key)
    assert answer.status_code == (200 if operation.scopes <= set(READ_ONLY) else 403), answer.text
    assert owner.client.recorded() == before


@each
def test_without_the_one_scope_all_others_are_of_no_use(owner: Owner, operation: Operation) -> None:
    others = tuple(set(SCOPES) - operation.scopes)
    path = owner.target(operation)
    assert ask(owner, operation, path, token_of(owner, others), owner.key).status_code == 403


@each
def test_who_no_longer_may_or_never_could_prove_it_is_not_served(owner: Owner, operation: Operation) -> None:
    path = owner.target(operation)
    before = owner.client.recorded()
    good, stale = token_of(owner), token_of(owner, ttl=-60)
    answers = {
        "no credentials": ask(owner, operation, path, None),
        "expired": ask(owner, operation, path, stale, owner.key),
        "revoked": ask(owner, operation, path, good, owner.revoked),
        "revoked and nothing else": ask(owner, operation, path, None, owner.revoked),
        "half a token": ask(owner, operation, path, good[:-20], owner.key),
        "no id either": ask(owner, operation, _filled(operation, "nonsense"), None),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    for answer in answers.values():
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
    assert owner.client.recorded() == before


@each
def test_a_token_here_and_a_header_there_is_forbidden(owner: Owner, stranger: Owner, operation: Operation) -> None:
    path = owner.target(operation)
    before = owner.client.recorded()
    assert ask(owner, operation, path, token_of(stranger), stranger.key).status_code == 403
    assert ask(owner, operation, path, token_of(owner), stranger.key).status_code == 403
    assert owner.client.recorded() == before


def test_the_default_scopes_leave_out_administration() -> None:
    assert set(SCOPES) - set(DEFAULT_SCOPES) == {"admin"}
