"""Schemathesis reads the OpenAPI document and tries the service: no 5xx, answers as documented, schemas that are true.

What the schemas call valid is refused only for reasons no schema can tell (REASONS); what they call invalid is
refused. At most three minutes, and the same cases each time.
"""

import re
import time
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from openapi import document, operations
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)
from service import Json, Service, database_copy
from world import World, activity

from api.http.tokens import SCOPES
from application.postgres.embedded import EmbeddedPostgres

MOST_SECONDS = 170
EXAMPLES = 6
UNTRIED = "get_metrics|put_activity|.*_(lead|contact|account)s?|(list|get|update|put)_(customer|user)s?"
"""Opportunities stand for every kind of record: the routes are the same. PUT of an activity is its PATCH."""
REASONS = re.compile(
    "are the same parameter|no such version yet|not be later than|exclude each other|must be an instant where|"
    "is only for|is needed|needs|cannot be created cancelled|must not lie in the future|must lie in the years 1 to 9999"
    "|must not be greater than|should match pattern '@'"
)
"""What makes a request invalid although each of its fields is valid. (The longest email address tried has no @.)"""

schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Europe/Vienna", "America/New_York", "Asia/Kolkata"]))
load_all_checks()
CONFIG = schemathesis.Config.from_dict(
    {"generation": {"with-security-parameters": False, "max-examples": EXAMPLES, "deterministic": True}}
)


def tried() -> Json:
    """The document without JSON's other name, which would only double the cases of every PATCH."""
    said = deepcopy(document())
    for methods in said["paths"].values():
        if "patch" in methods:
            del methods["patch"]["requestBody"]["content"]["application/merge-patch+json"]
    return said


SCHEMA = schemathesis.openapi.from_dict(tried(), config=CONFIG)


@pytest.fixture(scope="module")
def world(server: EmbeddedPostgres, template: str) -> Iterator[World]:
    """References may be of any record here, so that random ones get further than the first check.

    And reads wait, however busy the machine is: 503 under `Prefer: handling=strict` would be in order, but no news.
    """
    settled = {"ACTIVITIES_RELATED_RECORDS": "lenient", "ACTIVITIES_FRESHNESS_TIMEOUT": "30"}
    with (
        database_copy(server, template) as dsn,
        Service(dsn, workers=1, signer=True, **settled) as service,
        service.client(scopes=SCOPES) as client,
    ):
        world = World(client)
        client.await_checkpoint()
        yield world


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def until() -> float:
    return time.monotonic() + MOST_SECONDS


def tries(operation_id: str) -> Any:
    """A test of one operation, to be named after it: by the name Schemathesis gives, pytest-xdist takes all for one."""

    @SCHEMA.include(operation_id=operation_id).parametrize()
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def keeps_to_the_document(case: schemathesis.Case, world: World, until: float, session: requests.Session) -> None:
        if time.monotonic() > until:
            pytest.skip(f"{MOST_SECONDS} seconds are over")
        prepare(case, world)
        headers = {"Authorization": world.client.http.headers["Authorization"], **world.headers(case.path)}
        reply = case.call(base_url=world.client.service.url, headers=headers, session=session)
        case.validate_response(reply, excluded_checks=beside_the_point(case, reply))
        if said_to_be_valid(case):
            assert reply.status_code not in (400, 415, 422) or reasonable(reply.json()), reply.json()

    return keeps_to_the_document


TRIED = [operation.id for operation in operations() if not re.fullmatch(UNTRIED, operation.id)]
globals().update({f"test_{operation_id}": tries(operation_id) for operation_id in TRIED})


def prepare(case: schemathesis.Case, world: World) -> None:
    """Name what there is, and leave out what only the service or an earlier answer can know."""
    operation_id = str(case.operation.definition.raw["operationId"])
    if not said_to_be_valid(case):
        if not negated(case, "path"):
            case.path_parameters = {**case.path_parameters, **some_place(world, operation_id, case.path)}
        return
    case.path_parameters = {**case.path_parameters, **world.places(operation_id, case.path)}
    for name in ("Idempotency-Key", "If-Match"):
        case.headers.pop(name, None)
    if case.query:
        case.query.pop("cursor", None)
    if isinstance(case.body, dict) and isinstance(case.body.get("follow_up_of_id"), str):
        case.body["follow_up_of_id"] = activity(world)


@cache
def some_place(world: World, operation_id: str, path: str) -> dict[str, str]:
    """What is refused leaves things as they are: it can be tried on the same thing again and again."""
    return world.places(operation_id, path)


def said_to_be_valid(case: schemathesis.Case) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def negated(case: schemathesis.Case, location: str) -> bool:
    components = {} if case.meta is None else case.meta.components
    return any(place.value == location and one.mode.is_negative for place, one in components.items())


def beside_the_point(case: schemathesis.Case, reply: schemathesis.Response) -> list[Any]:
    """Checks that are not true of us, each for a reason."""
    checks: list[Any] = [positive_data_acceptance]  # ours, below, knows the reasons
    if case.path.endswith(("/search", "/overdue", "/follow-ups", "/bulk-actions")):
        checks += [unsupported_method, allow_header_conformance]  # other methods are an activity's of such an id
    if negated(case, "header"):
        checks.append(negative_data_rejection)  # headers nobody knows are nobody's business
    if case.method == "PUT" and reply.status_code == 200 and "{record_id}" in case.path:
        checks.append(negative_data_rejection)  # a record that is there already needs no name
    return checks


def reasonable(problem: dict[str, Any]) -> bool:
    messages = [message for messages in problem["errors"].values() for message in messages]
    return problem["code"] == "related_entity_not_found" or all(REASONS.search(message) for message in messages)
