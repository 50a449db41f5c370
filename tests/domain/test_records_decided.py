"""Directory records: made anew, changed field by field, and made sure of."""

from typing import Any

import pytest
from given import NOW

from domain.record.decisions import create_record, put_record, update_record
from domain.record.drafts import DRAFTS, RecordDraft
from domain.record.events import RecordEvent
from domain.record.record import Record, evolve_record
from domain.refusals import Invalid, Unknown
from domain.vocabulary import RecordKind

KIND = RecordKind.CUSTOMER


def said(**fields: Any) -> RecordDraft:
    return DRAFTS[KIND].model_validate(fields)


def after(record: Record | None, facts: list[RecordEvent]) -> Record:
    for fact in facts:
        record = evolve_record(record, fact)
    assert record is not None
    return record


def made(**fields: Any) -> Record:
    return after(None, create_record(said(**fields), id="c-1", kind=KIND, now=NOW))


def test_a_new_record_needs_a_name() -> None:
    with pytest.raises(Invalid) as refusal:
        made(email="k@example.com")
    assert refusal.value.field == "name"
    with pytest.raises(Invalid):
        put_record(None, said(), id="c-1", kind=KIND, now=NOW)


def test_a_record_is_what_was_said_of_it() -> None:
    record = made(name="Acme", status="active", tags=["a"])
    assert record.fields == {"name": "Acme", "status": "active", "tags": ["a"]}
    assert (record.id, record.kind, record.version) == ("c-1", KIND, 1)


def test_a_change_keeps_what_is_absent_and_null_clears() -> None:
    record = made(name="Acme", status="active", email="k@example.com")
    changed = after(record, update_record(record, said(status="at_risk", email=None), kind=KIND, now=NOW))
    assert changed.fields == {"name": "Acme", "status": "at_risk"}
    assert changed.version == 2


def test_said_twice_it_is_recorded_once() -> None:
    record = made(name="Acme", attributes={"a": 1})
    for decide in (
        update_record(record, said(name="Acme", attributes={"a": 1}), kind=KIND, now=NOW),
        put_record(record, said(name="Acme", email=None), id="c-1", kind=KIND, now=NOW),
    ):
        assert decide == []


def test_an_attribute_that_was_true_and_becomes_1_is_a_change() -> None:
    record = made(name="Acme", attributes={"a": True})
    facts = update_record(record, said(attributes={"a": 1}), kind=KIND, now=NOW)
    assert after(record, facts).fields["attributes"]["a"] is not True


def test_making_sure_of_a_record_makes_it_or_merges() -> None:
    record = after(None, put_record(None, said(name="Acme", status="active"), id="c-1", kind=KIND, now=NOW))
    merged = after(record, put_record(record, said(email="k@example.com"), id="c-1", kind=KIND, now=NOW))
    assert merged.fields == {"name": "Acme", "status": "active", "email": "k@example.com"}


def test_what_is_not_there_cannot_be_changed() -> None:
    with pytest.raises(Unknown):
        update_record(None, said(name="Acme"), kind=KIND, now=NOW)
