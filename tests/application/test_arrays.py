"""What is written as an array is read as the same by PostgreSQL, whatever is in it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from application.postgres.arrays import array

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")) | st.sampled_from(
    ["NULL", "", '"', "\\", "{}", 'a"\\,b']
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "uuid": st.uuids(),
    "bytea": st.binary(),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "date": st.dates(),
    "jsonb": st.dictionaries(TEXTS, TEXTS, max_size=3),
}


@pytest.fixture(scope="module")
def connection(module_database: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("of", VALUES)
@given(data=st.data())
def test_an_array_holds_what_was_put_into_it(connection: Connection[Any], of: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[of], max_size=5))
    assert connection.execute(f"select %s::{of}[]", (array(of, values),)).fetchone() == (values,)
