"""What is personal in a fact, and what is left of it once the person it is about was erased.

Dates, status, types, tags, money and ids stay: they are what totals and reports are made of, and say nothing without
the record they refer to.
"""

from collections.abc import Mapping
from typing import Any

from domain.activity import events
from domain.activity.blanks import ERASED
from domain.activity.events import Person
from domain.vocabulary import RecordKind

PERSONS = frozenset({RecordKind.CONTACT, RecordKind.LEAD, RecordKind.CUSTOMER, RecordKind.USER})
"""The kinds of record that are people."""

NOT_PERSONAL = frozenset({"account_id", "customer_id", "status", "source", "tags"})
"""Fields of a person's record that stay; all others are personal."""

_SAID = ("subject", "description", "location", "custom_fields", "attachment_urls")
_PERSONAL: Mapping[type[Any], tuple[str, ...]] = {
    events.Created: _SAID,
    events.Updated: (*_SAID, "outcome"),
    events.Rescheduled: ("reason",),
    events.Deferred: ("reason",),
    events.Waited: ("reason",),
    events.Completed: ("outcome",),
    events.Cancelled: ("reason",),
}
_NOTHING: tuple[Any, ...] = (None, ERASED, {}, (), [])


def personal_texts(fact: events.Fact) -> list[str]:
    """The fields of an activity's fact that say something personal."""
    said = fact.__dict__
    given = fact.model_fields_set
    return [name for name in _PERSONAL.get(type(fact), ()) if name in given and said[name] not in _NOTHING]


def people_named(fact: events.Fact) -> list[tuple[int, Person]]:
    """The participants that an activity's fact names or gives an address of, by their places in it."""
    people = getattr(fact, "participants", None) or ()
    return [(place, person) for place, person in enumerate(people) if person.name or person.email]


def personal_fields(kind: RecordKind, fields: Mapping[str, Any]) -> list[str]:
    """The fields of a record that say something personal; none where the kind is no person."""
    if kind not in PERSONS:
        return []
    return [name for name, value in fields.items() if name not in NOT_PERSONAL and value not in _NOTHING]


def without_person(kind: RecordKind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of a record's fields."""
    personal = set(personal_fields(kind, fields))
    return {name: value for name, value in fields.items() if name not in personal} | {"name": ERASED}
