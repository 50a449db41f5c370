"""Whose what is: the person a record is of, the one an activity is with, and each of its participants.

An activity is with its contact, else with the lead, customer or contact it is about. A participant who is nobody's
record and has no address is told of with the activity's own texts.
"""

from typing import Protocol
from uuid import UUID

from application.event_store.keyring import RING
from application.event_store.mapper import Event, State, record_key
from domain.activity.activity import Activity
from domain.activity.events import Fact, Person
from domain.personal_data import PERSONS, people_named, personal_fields, personal_texts
from domain.record.events import RecordCreated, RecordUpdated
from domain.record.record import Record
from domain.vocabulary import RecordKind, RelatedType

_KINDS = {kind.value for kind in PERSONS}
Whose = tuple[list[str], UUID | None, list[tuple[int, UUID]]]


class WithWhom(Protocol):
    """What an activity, or the draft of one, says of whom it is with."""

    @property
    def contact_id(self) -> str | None: ...
    @property
    def activityable_type(self) -> RelatedType: ...
    @property
    def activityable_id(self) -> str: ...


def person_of(activity: WithWhom) -> UUID | None:
    if activity.contact_id is not None:
        return record_key(RecordKind.CONTACT, activity.contact_id)
    if activity.activityable_type.value in _KINDS:
        return record_key(activity.activityable_type, activity.activityable_id)
    return None


def participant_of(organization_id: str, person: Person) -> UUID | None:
    if person.id is not None and person.kind in ("user", "contact"):
        return record_key(person.kind, person.id)
    return None if person.email is None else RING.outsider(organization_id, person.email)


def whose(organization_id: str, fact: Event, after: State) -> Whose:
    """The personal fields of a fact and whose they are, and the participants it names, each with who that is.

    `after` is the state the fact led to.
    """
    if isinstance(fact, Fact) and isinstance(after, Activity):
        texts, named = personal_texts(fact), people_named(fact)
        if not texts and not named:
            return [], None, []
        with_whom = person_of(after)
        people = [(place, participant_of(organization_id, person) or with_whom) for place, person in named]
        return (texts if with_whom else []), with_whom, [(place, who) for place, who in people if who is not None]
    if isinstance(fact, RecordCreated | RecordUpdated) and isinstance(after, Record):
        fields = personal_fields(after.kind, fact.fields)
        return fields, (record_key(after.kind, after.id) if fields else None), []
    return [], None, []
