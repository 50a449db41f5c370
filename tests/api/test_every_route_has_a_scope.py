"""Nothing is served without a scope: a route somebody forgets to guard fails here."""

import pytest
from operations import Operation, operations

from domain.api_key.scopes import SCOPES

ALL = operations()


def test_the_router_was_read() -> None:
    assert len(ALL) > 40
    assert {operation.path for operation in ALL} > {"/api/v1/crm/activities", "/v1/accounts/activities"}


@pytest.mark.parametrize("operation", ALL, ids=str)
def test_every_operation_asks_for_one_known_scope(operation: Operation) -> None:
    assert len(operation.scopes) == 1, f"{operation} asks for {sorted(operation.scopes) or 'no scope'}"
    assert operation.scopes <= set(SCOPES)


@pytest.mark.parametrize("operation", ALL, ids=str)
def test_reading_asks_for_the_right_to_read_and_commanding_for_the_right_to_write(operation: Operation) -> None:
    wanted = ("read" if operation.reads else "write", "admin")
    assert next(iter(operation.scopes)).rpartition(":")[2] in wanted
