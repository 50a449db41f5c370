"""What the OpenAPI document says, the service does: examples are accepted, answers have the shapes promised."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from accounts import key_of
from openapi import Operation, document, faults, operations, problem_schema, resolved
from service import Json, Service
from world import World, account_activity, activity

from api.http.tokens import SCOPES

ALL = operations()
REQUESTS = [(operation, name) for operation in ALL for name in operation.bodies or {"": None}]
UNKNOWN = "01JFJ0000000000000000000AA"

NEEDED: Json = {
    "search_activities": {"q": "call"},
    "get_inclusion_proof": {"position": 1},
    "get_consistency_proof": {"from": 1},
}
JSON = {"Content-Type": "application/json"}


def _names(operation: Operation) -> set[str]:
    return {parameter["name"] for parameter in operation.parameters}


each_operation = pytest.mark.parametrize("operation", ALL, ids=str)
each_request = pytest.mark.parametrize(("operation", "name"), REQUESTS, ids=lambda one: str(one))


@pytest.fixture(scope="module")
def world(service: Service) -> Iterator[World]:
    with service.client(scopes=SCOPES) as client:
        world = World(client)
        account_activity(world)
        activity(world)
        activity(world)
        for _ in range(2):
            world.client.act(activity(world), "complete", duration_minutes=20)
        client.await_checkpoint()
        yield world


def assert_as_documented(operation: Operation, reply: httpx.Response) -> Json:
    """The answer has a status the document knows, its media type, its headers, and its shape to the last field."""
    response = operation.response(reply.status_code)
    media_type = reply.headers["content-type"].partition(";")[0]
    assert media_type in response["content"], media_type
    body: Json = reply.json()
    assert faults(response["content"][media_type]["schema"], body, strict=True) == [], body
    optional = {"Projection-Lag", "Idempotent-Replayed", "WWW-Authenticate", "Audit-Receipt"}
    assert {name.lower() for name in response["headers"].keys() - optional} <= set(reply.headers)
    return body


@each_request
def test_examples_are_accepted_and_answered_as_documented(world: World, operation: Operation, name: str) -> None:
    reply = world.ask(operation, world.body(operation.bodies.get(name)), NEEDED.get(operation.id))
    assert reply.is_success, reply.text
    if operation.id != "get_metrics":
        assert_as_documented(operation, reply)


@each_operation
def test_the_examples_of_its_parameters_are_accepted_together(world: World, operation: Operation) -> None:
    given = {p["name"]: p["example"] for p in operation.parameters if p["in"] == "query" and "example" in p}
    query = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in given.items()}
    if operation.method != "get" or not query:
        return
    reply = world.ask(operation, query=query)
    assert reply.status_code == 200, reply.text
    assert_as_documented(operation, reply)


@pytest.mark.parametrize("operation", [one for one in ALL if "cursor" in _names(one)], ids=str)
def test_lists_go_on_by_cursor_as_documented(world: World, operation: Operation) -> None:
    on_a_page = "per_page" if "per_page" in _names(operation) else "limit"
    query: dict[str, Any] = {on_a_page: 1} | {
        name: value for name, value in {"q": "call", "state": "all"}.items() if name in _names(operation)
    }
    cursor = world.ask(operation, query=query).json()["meta"]["next_cursor"]
    assert cursor is not None
    reply = world.ask(operation, query=query | {"cursor": cursor})
    meta = assert_as_documented(operation, reply)["meta"]
    assert meta.keys() - {"position", "head"} == {on_a_page, "next_cursor"}


@pytest.mark.parametrize("operation", [one for one in ALL if "If-None-Match" in _names(one)], ids=str)
def test_what_the_caller_has_already_is_304_as_documented(world: World, operation: Operation) -> None:
    url = f"{world.client.service.url}{world.path(operation)}"
    headers = world.headers(operation.path)
    tag = world.client.call("GET", url, headers=headers).headers["etag"]
    reply = world.client.call("GET", url, headers=headers | {"If-None-Match": tag})
    assert reply.status_code == 304
    optional = {"Projection-Lag"}
    assert {name.lower() for name in operation.response(304)["headers"].keys() - optional} <= set(reply.headers)


GUARDED = [one for one in ALL if one.told["security"]]
each_guarded = pytest.mark.parametrize("operation", GUARDED, ids=str)


@each_guarded
def test_refusals_are_answered_as_documented(world: World, operation: Operation) -> None:
    body = next(iter(operation.bodies.values()), None)
    path = re.sub(r"\{[^}]+\}", UNKNOWN, operation.path)
    url = f"{world.client.service.url}{path}"
    headers = world.headers(operation.path)

    def refused(status: int, code: str, **asked: Any) -> None:
        reply = world.client.http.request(operation.method.upper(), url, **asked)
        assert reply.status_code == status, reply.text
        assert assert_as_documented(operation, reply)["code"] == code

    refused(401, "unauthenticated", headers={"Authorization": "Bearer nobody"}, json=body)
    refused(422, "invalid", headers=headers, params={"surprise": "1"}, json=body)
    if body is not None:
        refused(400, "malformed_request", headers=headers | JSON, content=b'{"a": 1, "a": 2}')
        refused(413, "too_large", headers=headers | JSON, content=b" " * (256 * 1024 + 1))
        refused(415, "unsupported_media_type", headers=headers | {"Content-Type": "text/csv"}, content=b"a,b")
        refused(422, "invalid", headers=headers, json={"surprise": 1})
    makes_it = operation.id.startswith("put_") and operation.id != "put_activity"
    if path != operation.path and not makes_it:
        refused(404, "not_found", headers=headers, json=body)


@each_guarded
def test_those_without_the_scope_are_refused_as_documented(service: Service, operation: Operation) -> None:
    path = re.sub(r"\{[^}]+\}", UNKNOWN, operation.path)
    with service.client(scopes=()) as nobody:
        headers = {"X-API-Key": key_of(nobody), "X-Organization-ID": nobody.organization}
        body = next(iter(operation.bodies.values()), None)
        reply = nobody.call(operation.method.upper(), f"{service.url}{path}", body, headers=headers)
        assert reply.status_code == 403
        assert assert_as_documented(operation, reply)["code"] == "forbidden"


def test_problems_that_say_more_are_as_documented(world: World) -> None:
    named = {one.id: one for one in ALL}
    one, http = activity(world), world.client
    http.act(one, "complete", outcome="Done")
    bulk = {"action": "cancel", "activity_ids": [one], "atomic": True}
    for operation, status, reply in [
        ("cancel_activity", 409, http.call("POST", f"/activities/{one}/cancel")),
        ("update_activity", 412, http.call("PATCH", f"/activities/{one}", {"tags": []}, headers={"If-Match": '"1"'})),
        ("run_bulk_action", 409, http.call("POST", "/activities/bulk-actions", bulk)),
        ("run_bulk_action", 207, http.call("POST", "/activities/bulk-actions", bulk | {"atomic": False})),
    ]:
        assert reply.status_code == status, reply.text
        assert_as_documented(named[operation], reply)


def test_methods_that_are_not_there_are_refused_as_documented(world: World) -> None:
    reply = world.client.call("PUT", "/activities")
    assert reply.status_code == 405
    response = resolved({"$ref": "#/components/responses/method_not_allowed"})
    assert faults(problem_schema(response), reply.json(), strict=True) == []


def test_the_page_and_all_it_loads_come_from_here(service: Service) -> None:
    page = httpx.get(f"{service.url}/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for one in loaded:
        if one != "data:,":
            assert httpx.get(f"{service.url}/{one}").status_code == 200, one
    script = httpx.get(f"{service.url}/docs/start.js").text
    assert "//" not in page.text.replace("</", "") + script
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert httpx.get(f"{service.url}/openapi.json").json() == document()
