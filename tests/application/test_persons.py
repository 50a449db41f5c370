"""Whose each personal thing is: of whom an activity is with, of each participant, of the person a record is of."""

from datetime import UTC, datetime
from typing import Any

import pytest

from application.event_store.keyring import RING
from application.event_store.mapper import State, advance, record_key
from application.event_store.persons import participant_of, person_of, whose
from domain.activity.activity import Activity
from domain.activity.events import Created, Person, Started, Updated
from domain.record.events import RecordCreated, RecordErased, RecordUpdated
from domain.vocabulary import ActivityType, RecordKind, RelatedType

ACME = "acme"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAT, KIM, ANN = record_key("contact", "pat"), record_key("contact", "kim"), record_key("user", "ann")


def created(**said: Any) -> Created:
    about = {"activityable_type": RelatedType.ACCOUNT, "activityable_id": "a-1"}
    return Created.model_validate(
        {"at": NOON, "id": "01JFJ0000000000000000000AA", "created_by": "u-1", "type": ActivityType.CALL}
        | {"subject": "Call Pat", "assigned_user_id": "u-1", **about, **said}
    )


def activity(**said: Any) -> Activity:
    state = advance(None, created(**said), 1)
    assert isinstance(state, Activity)
    return state


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ({"contact_id": "pat"}, PAT),
        ({"activityable_type": RelatedType.LEAD, "activityable_id": "l-1"}, record_key("lead", "l-1")),
        ({"activityable_type": RelatedType.CUSTOMER, "activityable_id": "c-1"}, record_key("customer", "c-1")),
        ({"activityable_type": RelatedType.CONTACT, "activityable_id": "kim"}, KIM),
        ({"activityable_type": RelatedType.CONTACT, "activityable_id": "kim", "contact_id": "pat"}, PAT),
        ({"activityable_type": RelatedType.ACCOUNT, "activityable_id": "a-1"}, None),
        ({"activityable_type": RelatedType.OPPORTUNITY, "activityable_id": "o-1"}, None),
    ],
)
def test_an_activity_is_with_its_contact_else_with_the_person_it_is_about(said: dict[str, Any], person: Any) -> None:
    assert person_of(activity(**said)) == person


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ({"kind": "contact", "id": "pat", "email": "p@x.example"}, PAT),
        ({"kind": "user", "id": "ann"}, ANN),
        ({"kind": "external", "id": "pat"}, None),
        ({"kind": "contact", "name": "Pat"}, None),
        ({"kind": "external", "id": "x", "email": "p@x.example"}, RING.outsider(ACME, "p@x.example")),
        ({"kind": "external", "email": "p@x.example"}, RING.outsider(ACME, "p@x.example")),
    ],
)
def test_a_participant_is_who_their_record_says_else_who_their_address_says(said: dict[str, Any], person: Any) -> None:
    assert participant_of(ACME, Person.model_validate(said)) == person


class TestOfAnActivity:
    def test_the_texts_are_of_whom_it_is_with_and_each_participant_is_themselves(self) -> None:
        people = [
            {"kind": "contact", "id": "kim", "name": "Kim"},
            {"kind": "user", "id": "ann"},
            {"kind": "external", "name": "Somebody"},
            {"kind": "external", "email": "p@x.example"},
        ]
        said = {"contact_id": "pat", "description": "Said yes", "participants": people}
        outsider = RING.outsider(ACME, "p@x.example")
        assert whose(ACME, created(**said), activity(**said)) == (
            ["subject", "description"],
            PAT,
            [(0, KIM), (2, PAT), (3, outsider)],
        )

    def test_with_nobody_the_texts_are_nobodys_and_participants_are_themselves_all_the_same(self) -> None:
        people = [{"kind": "contact", "id": "kim", "name": "Kim"}, {"kind": "external", "name": "Somebody"}]
        assert whose(ACME, created(participants=people), activity()) == ([], None, [(0, KIM)])

    def test_of_a_change_it_is_who_it_is_with_afterwards(self) -> None:
        change = Updated(at=NOON, outcome="Agreed", contact_id="kim")
        after = advance(activity(contact_id="pat"), change, 2)
        assert whose(ACME, change, after) == (["outcome"], KIM, [])

    def test_of_participants_alone_no_text_is_anybodys(self) -> None:
        change = Updated.model_validate({"at": NOON, "participants": [{"kind": "contact", "id": "kim", "name": "Kim"}]})
        after = advance(activity(contact_id="pat"), change, 2)
        assert whose(ACME, change, after) == ([], PAT, [(0, KIM)])

    def test_what_says_nothing_personal_is_nobodys(self) -> None:
        after = advance(activity(contact_id="pat"), Started(at=NOON), 2)
        assert whose(ACME, Started(at=NOON), after) == ([], None, [])


class TestOfARecord:
    def test_all_but_what_totals_are_made_of_is_the_persons(self) -> None:
        made = RecordCreated(
            at=NOON, id="pat", kind=RecordKind.CONTACT, fields={"name": "Pat", "tags": ["vip"], "email": "p@x.example"}
        )
        pat = advance(None, made, 1)
        assert whose(ACME, made, pat) == (["name", "email"], PAT, [])
        moved = RecordUpdated(at=NOON, fields={"notes": "Moved"})
        assert whose(ACME, moved, advance(pat, moved, 2)) == (["notes"], PAT, [])
        tagged = RecordUpdated(at=NOON, fields={"tags": []})
        assert whose(ACME, tagged, advance(pat, tagged, 2)) == ([], None, [])
        erased = RecordErased(at=NOON, id="pat", kind=RecordKind.CONTACT)
        assert whose(ACME, erased, advance(pat, erased, 2)) == ([], None, [])

    def test_of_what_is_no_person_nothing_is_anybodys(self) -> None:
        made = RecordCreated(at=NOON, id="a-1", kind=RecordKind.ACCOUNT, fields={"name": "Acme"})
        firm: State = advance(None, made, 1)
        assert whose(ACME, made, firm) == ([], None, [])
