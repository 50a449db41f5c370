"""What was ever stored can be read for ever, and means for ever what it meant."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import to_jsonable_python

from application.event_store.mapper import EVENTS, State, activity_key, advance, api_key_key, decode, encode, record_key
from domain.activity.activity import Activity

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "golden_events.json").read_text(encoding="utf-8")
)
"""For each stored name a fact with every field set, the facts it comes after, and what it changes then."""
STORED = {example["name"]: json.dumps(example["stored"]).encode() for example in GOLDEN}
FIRST_POSITION = 7

each_name = pytest.mark.parametrize("name", EVENTS)


def folded(names: list[str]) -> State | None:
    state: State | None = None
    for position, name in enumerate(names, start=FIRST_POSITION):
        state = advance(state, decode(name, STORED[name]), position)
    return state


def dumped(state: State | None) -> dict[str, Any]:
    if state is None:
        return {}
    told: dict[str, Any] = to_jsonable_python(state._asdict() if isinstance(state, Activity) else state)
    return told


def test_stored_names_are_a_contract() -> None:
    assert list(EVENTS) == [
        "activity.created.v1",
        "activity.updated.v1",
        "activity.rescheduled.v1",
        "activity.started.v1",
        "activity.deferred.v1",
        "activity.waited.v1",
        "activity.resumed.v1",
        "activity.completed.v1",
        "activity.cancelled.v1",
        "activity.deleted.v1",
        "activity.restored.v1",
        "activity.personal_data_erased.v1",
        "record.created.v1",
        "record.updated.v1",
        "record.erased.v1",
        "api_key.created.v1",
        "api_key.revoked.v1",
        "audit.export_begun.v1",
        "audit.replay_begun.v1",
        "read_table.rebuild_begun.v1",
        "read_table.roll_back_begun.v1",
        "analyst.grant_begun.v1",
        "analyst.revocation_begun.v1",
        "audit.exported.v1",
        "audit.replayed.v1",
        "read_table.rebuilt.v1",
        "read_table.rolled_back.v1",
        "analyst.granted.v1",
        "analyst.revoked.v1",
        "audit.failed.v1",
        "erasure.begun.v1",
        "erasure.completed.v1",
    ]


def test_the_corpus_has_every_name_once() -> None:
    assert [example["name"] for example in GOLDEN] == list(EVENTS)


@each_name
def test_the_corpus_sets_every_field(name: str) -> None:
    assert decode(name, STORED[name]).model_fields_set == set(EVENTS[name].model_fields)


@each_name
def test_a_stored_fact_is_read_back_as_it_was_written(name: str) -> None:
    fact = decode(name, STORED[name])
    assert json.loads(encode(fact)) == json.loads(STORED[name])
    assert decode(name, encode(fact)) == fact
    assert type(fact) is EVENTS[name]


@each_name
def test_what_was_not_said_is_not_stored(name: str) -> None:
    required = {field for field, info in EVENTS[name].model_fields.items() if info.is_required()}
    said = {field: value for field, value in json.loads(STORED[name]).items() if field in required}
    fact = decode(name, json.dumps(said).encode())
    assert json.loads(encode(fact)) == said
    assert decode(name, encode(fact)).model_fields_set == required


def test_cleared_is_not_the_same_as_untouched() -> None:
    cleared = decode("activity.updated.v1", b'{"at":"2025-12-20T14:00:00Z","description":null}')
    assert encode(cleared) == b'{"at":"2025-12-20T14:00:00Z","description":null}'


@pytest.mark.parametrize("example", GOLDEN, ids=lambda example: example["name"])
def test_a_stored_fact_means_what_it_always_meant(example: dict[str, Any]) -> None:
    before, after = folded(example["after"]), folded([*example["after"], example["name"]])
    assert dumped(after) == dumped(before) | example["changes"]


def test_a_name_this_version_does_not_know_is_refused() -> None:
    with pytest.raises(KeyError, match="forgotten"):
        decode("activity.forgotten.v1", b"{}")


def test_streams_are_found_for_ever_where_they_were_put() -> None:
    assert activity_key("01JFJ0000000000000000000AA") == UUID("0193e400-0000-0000-0000-00000000014a")
    assert api_key_key("01JFJ0000000000000000000AA") == UUID("0193e400-0000-0000-0000-00000000014a")
    assert record_key("contact", "con-9") == UUID("3a4c7338-3018-525c-9e5b-4b807a5d8d9f")
    assert record_key("contact", "01JFJ0000000000000000000AA") == UUID("6a03fb07-beb0-5d0b-af40-294aee413762")


def test_ids_that_are_ulids_are_the_same_in_either_case_and_others_are_not() -> None:
    assert activity_key("01jfj0000000000000000000aa") == activity_key("01JFJ0000000000000000000AA")
    assert record_key("user", "01jfj0000000000000000000aa") == record_key("user", "01JFJ0000000000000000000AA")
    assert record_key("user", "Sales") != record_key("user", "sales")
    assert record_key("user", "sales") != record_key("contact", "sales")
