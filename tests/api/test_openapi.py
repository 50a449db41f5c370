"""The OpenAPI document is whole and well made. Whether it is true, test_openapi_is_true asks the service."""

import json
import re

import pytest
from openapi import Operation, document, faults, operations, problem_schema, resolved
from openapi_spec_validator import OpenAPIV31SpecValidator
from operations import NEEDS_NO_CREDENTIALS
from operations import operations as routes

from api.http.problems import KINDS

ALL = operations()
DOCUMENTED_WITHOUT_CREDENTIALS = {"/health/live", "/health/ready", "/metrics"}
SHARED_HEADERS = {"X-Request-ID", "RateLimit", "RateLimit-Policy"}

each = pytest.mark.parametrize("operation", ALL, ids=str)


def test_the_document_is_valid_openapi_3_1() -> None:
    assert document()["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_it_has_every_route_and_nothing_else() -> None:
    served = {(route.method.lower(), route.path) for route in routes()}
    open_to_all = {("get", path) for path in NEEDS_NO_CREDENTIALS & DOCUMENTED_WITHOUT_CREDENTIALS}
    assert {(operation.method, operation.path) for operation in ALL} == served | open_to_all


def test_operation_ids_are_verb_and_noun_and_each_is_there_once() -> None:
    ids = [operation.id for operation in ALL]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch("[a-z]+(_[a-z]+)+", one)] == []


def test_nothing_in_it_leads_to_a_foreign_host() -> None:
    hosts = set(re.findall(r"https?://([^/\"\s\\]+)", json.dumps(document())))
    assert [host for host in hosts if not host.endswith(".example")] == []


@each
def test_every_operation_says_what_it_is_for(operation: Operation) -> None:
    told = operation.told
    assert told["summary"].strip()
    assert told["description"].strip()
    assert set(told["tags"]) <= {tag["name"] for tag in document()["tags"] if tag["description"]}


def test_every_operation_names_the_scope_its_route_asks_for_and_the_credentials() -> None:
    asked = {(route.method.lower(), route.path): route.scopes for route in routes()}
    for operation in ALL:
        scopes = asked.get((operation.method, operation.path), frozenset())
        named = {scope for choice in operation.told["security"] for named in choice.values() for scope in named}
        assert named == scopes, operation
        assert all(f"Scope: `{scope}`" in operation.told["description"] for scope in scopes), operation


@each
def test_every_parameter_is_explained_with_an_example_that_fits(operation: Operation) -> None:
    for parameter in operation.parameters:
        assert parameter["description"], parameter["name"]
        if parameter["name"] == "cursor":  # only the service can make one
            continue
        assert faults(parameter["schema"], parameter["example"]) == []


@each
def test_every_body_has_examples_and_they_fit(operation: Operation) -> None:
    if "requestBody" in operation.told:
        assert operation.bodies
    for name, body in operation.bodies.items():
        assert faults(operation.body_schema, body, strict=True) == [], name


@each
def test_every_success_has_examples_and_they_fit_to_the_last_field(operation: Operation) -> None:
    assert list(operation.successes)
    for _, response in operation.successes:
        assert "X-Request-ID" in response["headers"]
        for content in response["content"].values():
            if content["schema"] == {"type": "string"}:  # metrics
                continue
            assert content["examples"]
            for name, example in content["examples"].items():
                assert faults(content["schema"], example["value"], strict=True) == [], name


@each
def test_every_operation_tells_how_it_can_be_refused(operation: Operation) -> None:
    told = operation.told["responses"]
    assert {"500", "503"} <= told.keys()
    if operation.told["security"]:
        assert {"400", "401", "403", "422", "429"} <= told.keys()
    if "{" in operation.path:
        assert "404" in told
    if "requestBody" in operation.told:
        assert {"413", "415"} <= told.keys()
    if operation.method != "get" and "{" in operation.path:
        assert {"412", "428"} <= told.keys()
        assert {"Idempotency-Key", "If-Match"} <= {parameter["name"] for parameter in operation.parameters}


@pytest.mark.parametrize("code", KINDS)
def test_every_type_of_problem_has_a_response_and_an_example_that_fits(code: str) -> None:
    responses = [one for one in document()["components"]["responses"].values() if code in _codes(one)]
    assert responses
    for response in responses:
        example = resolved(response["content"]["application/problem+json"]["examples"][code])["value"]
        assert faults(problem_schema(response), example, strict=True) == []
        assert (example["code"], example["status"], example["success"]) == (code, KINDS[code].status, False)
        assert example["type"] == f"/problems/{code}"


def _codes(response: dict[str, dict[str, dict[str, object]]]) -> set[str]:
    return set(response["content"]["application/problem+json"]["examples"])  # type: ignore[call-overload]


def test_every_schema_and_every_field_is_explained() -> None:
    silent = [
        f"{name}.{field}"
        for name, schema in document()["components"]["schemas"].items()
        for field, inner in [("", schema), *schema.get("properties", {}).items()]
        if not inner.get("description")
    ]
    assert silent == []
