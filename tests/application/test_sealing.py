"""What is personal is sealed: it opens to what it was, at its own place only, and to blanks once its key is gone."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from application.erasure.sayings import said_of
from application.event_store.keyring import RING, DataKey, KeyRing, NewKey, NotLearned, WrongMasterKey
from application.event_store.mapper import EVENTS, State, activity_key, advance, decode, encode, record_key
from application.event_store.persons import whose
from application.event_store.reading import Row
from application.event_store.sealing import Personal, Tampered, sealed
from application.settings import Settings
from domain.activity.activity import Activity
from domain.activity.events import Created, Deferred, Fact, PersonalDataErased, Updated
from domain.record.events import RecordCreated, RecordErased, RecordUpdated
from domain.vocabulary import ActivityType, RecordKind, RelatedType

ACME = "acme"
NOON = datetime(2025, 12, 20, 12, tzinfo=UTC)
STREAM = activity_key("01JFJ0000000000000000000AA")
PAT, KIM = record_key("contact", "pat"), record_key("contact", "kim")
CREATED = Created(
    at=NOON,
    id="01JFJ0000000000000000000AA",
    created_by="u-1",
    type=ActivityType.CALL,
    subject="Call Pat",
    description='Said "yes"',
    activityable_type=RelatedType.ACCOUNT,
    activityable_id="acme",
    assigned_user_id="u-1",
    contact_id="pat",
    custom_fields={"a": [1, None, {"sealed": ["x"]}]},
    participants=[{"kind": "contact", "id": "kim", "name": "Kim", "email": "kim@x.example", "attended": True}],  # type: ignore[arg-type]
    tags=("vip",),
)


@pytest.fixture
def keys() -> Iterator[dict[UUID, DataKey]]:
    """Of Pat and of Kim; this process's ring knows them."""
    made = {subject: RING.make(ACME, subject) for subject in (PAT, KIM)}
    RING.keep(new.key for new in made.values())
    yield {subject: new.key for subject, new in made.items()}
    RING.forget(ACME)


def destroy(key: DataKey) -> None:
    RING.keep([DataKey(key.organization_id, key.id, None)])


def personal(fact: Any, after: State, keys: dict[UUID, DataKey]) -> Personal | None:
    fields, subject, people = whose(ACME, fact, after)
    if not fields and not people:
        return None
    return Personal(fields, keys.get(subject) if subject else None, {place: keys[who] for place, who in people})


def stored(fact: Any, after: State, keys: dict[UUID, DataKey], version: int = 1, stream: UUID = STREAM) -> bytes:
    what = personal(fact, after, keys)
    return encode(fact) if what is None else sealed(fact, what, stream, version)


def unboxed(state: bytes) -> bytes:
    """What is stored, with what is in the boxes as it is: in base64 three letters come about by chance."""
    fact = json.loads(state)
    boxes = [base64.b64decode(box.pop("box")) for box in fact["sealed"]]
    return b"\n".join([json.dumps(fact).encode(), *boxes])


def test_it_opens_to_what_was_said(keys: dict[UUID, DataKey]) -> None:
    state = stored(CREATED, advance(None, CREATED, 1), keys)
    for said in (b"Pat", b"yes", b"Kim", b"kim@x"):
        assert said not in unboxed(state)
    back = decode(CREATED.name, state, (STREAM, 1))
    assert back == CREATED
    assert back.model_fields_set == CREATED.model_fields_set
    assert advance(None, back, 1) == advance(None, CREATED, 1)


def test_what_totals_are_made_of_stays_in_plain(keys: dict[UUID, DataKey]) -> None:
    plain = json.loads(stored(CREATED, advance(None, CREATED, 1), keys))
    assert (plain["type"], plain["contact_id"], plain["tags"], plain["id"]) == ("call", "pat", ["vip"], CREATED.id)
    assert plain["participants"] == [{"kind": "contact", "id": "kim", "attended": True}]


def test_what_was_not_said_of_a_participant_is_not_said_once_it_is_opened(keys: dict[UUID, DataKey]) -> None:
    people = [{"kind": "contact", "id": "kim", "name": "Kim"}, {"kind": "contact", "id": "pat", "email": "p@x.example"}]
    said = Updated.model_validate({"at": NOON, "participants": people})
    state = stored(said, advance(advance(None, CREATED, 1), said, 2), keys)
    back = decode(said.name, state, (STREAM, 1))
    assert [person.model_dump(exclude_unset=True) for person in back.participants] == people


def test_each_is_sealed_under_their_own_key(keys: dict[UUID, DataKey]) -> None:
    state = stored(CREATED, advance(None, CREATED, 1), keys)
    destroy(keys[PAT])
    left = decode(CREATED.name, state, (STREAM, 1))
    assert (left.subject, left.description, left.custom_fields) == ("[erased]", None, {})
    assert (left.participants[0].name, left.participants[0].attended) == ("Kim", True)
    destroy(keys[KIM])
    assert decode(CREATED.name, state).participants[0].model_dump(exclude_none=True) == {
        "kind": "contact",
        "id": "kim",
        "attended": True,
    }


def test_of_records_everything_personal_is_sealed_and_nothing_of_what_is_no_person() -> None:
    subject = record_key("contact", "pat")
    new = RING.make(ACME, subject)
    RING.keep([new.key])
    fields = {"name": "Pat", "email": "p@x.example", "attributes": {"n": 1.5}, "account_id": "acme", "tags": ["vip"]}
    made = RecordCreated(at=NOON, id="pat", kind=RecordKind.CONTACT, fields=fields)
    state = stored(made, advance(None, made, 1), {subject: new.key}, stream=subject)
    assert json.loads(state)["fields"] == {"account_id": "acme", "tags": ["vip"]}
    assert decode(made.name, state) == made
    moved = RecordUpdated(at=NOON, fields={"email": None, "notes": "Moved"})
    after = advance(advance(None, made, 1), moved, 2)
    changed = stored(moved, after, {subject: new.key}, 2, subject)
    assert decode(moved.name, changed) == moved

    destroy(new.key)
    assert decode(made.name, state).fields == {"name": "[erased]", "account_id": "acme", "tags": ["vip"]}
    unreadable = advance(advance(None, decode(made.name, state), 1), decode(moved.name, changed), 2)
    erased = RecordErased(at=NOON, id="pat", kind=RecordKind.CONTACT)
    assert advance(unreadable, erased, 3) == advance(after, erased, 3)

    firm = RecordCreated(at=NOON, id="acme", kind=RecordKind.ACCOUNT, fields={"name": "Acme"})
    assert whose(ACME, firm, advance(None, firm, 1)) == ([], None, [])


def test_the_fields_of_a_record_may_be_had_back_in_the_order_they_were_in() -> None:
    """Read tables that were folded from them before are the same to the byte."""
    subject = record_key("contact", "pat")
    new = RING.make(ACME, subject)
    RING.keep([new.key])
    fields = {"name": "Pat", "account_id": "acme", "email": "p@x.example", "tags": ["vip"], "notes": "Met in May"}
    made = RecordCreated(at=NOON, id="pat", kind=RecordKind.CONTACT, fields=fields)
    what = personal(made, advance(None, made, 1), {subject: new.key})
    assert what is not None
    state = sealed(made, what, subject, 1, in_order=True)
    for said in (b"Pat", b"p@x", b"Met"):
        assert said not in unboxed(state)
    assert list(decode(made.name, state, (subject, 1)).fields.items()) == list(fields.items())

    destroy(new.key)
    erased = RecordErased(at=NOON, id="pat", kind=RecordKind.CONTACT)
    unreadable = advance(advance(None, decode(made.name, state), 1), erased, 2)
    assert unreadable == advance(advance(None, made, 1), erased, 2)


def test_a_box_opens_at_its_own_place_only(keys: dict[UUID, DataKey]) -> None:
    state = stored(CREATED, advance(None, CREATED, 1), keys)
    for elsewhere in ((STREAM, 2), (uuid4(), 1)):
        with pytest.raises(Tampered):
            decode(CREATED.name, state, elsewhere)
    moved = state.replace(f"{STREAM.hex}.1".encode(), f"{STREAM.hex}.2".encode())
    with pytest.raises(Tampered):
        decode(CREATED.name, moved, (STREAM, 2))


@pytest.mark.parametrize(
    ("said", "changed"),
    [(b'"fields":"subject ', b'"fields":"outcome '), (b'"box":"', b'"box":"AAAA'), (b'"person":0', b'"person":1')],
)
def test_a_box_that_was_tampered_with_does_not_open(keys: dict[UUID, DataKey], said: bytes, changed: bytes) -> None:
    state = stored(CREATED, advance(None, CREATED, 1), keys)
    assert said in state
    with pytest.raises(Tampered):
        decode(CREATED.name, state.replace(said, changed, 1))


def test_without_its_key_a_box_is_not_taken_for_erased(keys: dict[UUID, DataKey]) -> None:
    state = stored(CREATED, advance(None, CREATED, 1), keys).replace(keys[PAT].id.encode(), b"0" * 32)
    with pytest.raises(NotLearned):
        decode(CREATED.name, state)


def test_what_earlier_releases_stored_in_plain_is_read_as_ever() -> None:
    state = b'{"at":"2025-12-20T12:00:00Z","custom_fields":{"sealed":[1]},"tags":["}]"]}'
    assert decode("activity.updated.v1", state).custom_fields == {"sealed": [1]}


class TestTheRing:
    def ring(self, secret: str = "another master key") -> KeyRing:
        return KeyRing(lambda: secret)

    def row(self, new: NewKey) -> tuple[str, UUID, bytes | None]:
        return ACME, UUID(new.key.id), new.wrapped

    def test_a_key_is_wrapped_and_unwrapped(self) -> None:
        ring = self.ring()
        new = ring.make(ACME, PAT)
        ring.learned([self.row(new)])
        assert ring.key(new.key.id).cipher is not None

    def test_another_master_key_does_not_open_it(self) -> None:
        new = self.ring().make(ACME, PAT)
        with pytest.raises(WrongMasterKey):
            self.ring("quite another key").learned([self.row(new)])

    def test_nor_does_it_open_as_another_organizations_key(self) -> None:
        ring = self.ring()
        new = ring.make(ACME, PAT)
        with pytest.raises(WrongMasterKey):
            ring.learned([("bolt", UUID(new.key.id), new.wrapped)])

    def test_the_same_address_is_the_same_outsider_in_one_organization_only(self) -> None:
        ring = self.ring()
        assert ring.outsider(ACME, "Kim@X.example ") == ring.outsider(ACME, "kim@x.example")
        assert ring.outsider(ACME, "kim@x.example") != ring.outsider("bolt", "kim@x.example")
        assert ring.outsider(ACME, "kim@x.example") != self.ring("quite another key").outsider(ACME, "kim@x.example")

    def test_it_holds_so_many_and_those_wanted_now(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("application.event_store.keyring.MOST", 3)
        ring = self.ring()
        made = [ring.make(ACME, uuid4()) for _ in range(5)]
        states = [b'{"sealed":[{"key":"' + new.key.id.encode() + b'"}]' for new in made]
        assert sorted(ring.unknown(states)) == sorted(new.key.id for new in made)
        ring.learned(self.row(new) for new in made)
        assert ring.unknown(states) == []
        assert len(ring.unknown(states[:1]) + [ring.key(new.key.id).id for new in made]) == 5
        ring.learned([self.row(ring.make(ACME, uuid4()))])
        assert ring.unknown(states[:1]) == []


class TestTheMasterKey:
    def test_is_generated_once_for_its_owner_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ACTIVITIES_ENCRYPTION_KEY")
        first = Settings(data_dir=tmp_path).encryption_secret()
        assert Settings(data_dir=tmp_path).encryption_secret() == first
        assert (tmp_path / "encryption-key").stat().st_mode & 0o777 == 0o600

    def test_may_be_kept_in_a_file_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ACTIVITIES_ENCRYPTION_KEY")
        file = tmp_path / "key"
        file.write_text("a master key from a file\n")
        assert Settings(encryption_key_file=file).encryption_secret() == "a master key from a file"
        file.write_text("short")
        with pytest.raises(ValueError, match="ENCRYPTION_KEY_FILE"):
            Settings(encryption_key_file=file).encryption_secret()

    def test_is_never_too_short_and_never_shown(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Settings(encryption_key="too short")  # type: ignore[arg-type]
        assert "too short" not in str(refused.value)


texts = st.none() | st.sampled_from(["", "one", "two", 'Ünï "code"', "[erased]"])
people = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["contact", "external"])},
        optional={"id": st.sampled_from(["pat", "kim"]), "name": texts, "email": st.none()},
    ),
    max_size=3,
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "subject": st.sampled_from(["one", "two"]),
        "description": texts,
        "outcome": texts,
        "location": texts,
        "contact_id": st.sampled_from(["pat", "kim", None]),
        "custom_fields": st.sampled_from([{}, {"a": 1}]),
        "attachment_urls": st.sampled_from([[], ["https://x.example/a"]]),
        "participants": people,
    },
)
firsts = changes.map(lambda said: CREATED.model_copy(update={k: v for k, v in _made(said).items() if k != "outcome"}))
steps = st.one_of(
    changes.map(lambda said: Updated.model_validate({"at": NOON, **said})),
    texts.map(lambda said: Deferred(at=NOON, reason=said)),
)


def _made(said: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(Updated.model_validate({"at": NOON, **said}), name) for name in said}


@for_any(first=firsts, history=st.lists(steps, max_size=6), later=st.lists(steps, max_size=2))
@settings(max_examples=200, deadline=None)
def test_erased_an_unreadable_history_and_a_readable_one_lead_to_the_same_state(
    first: Fact, history: list[Any], later: list[Any]
) -> None:
    keys = {subject: RING.make(ACME, subject).key for subject in (PAT, KIM)}
    RING.keep(keys.values())
    rows: list[Row] = []
    state: State | None = None
    for version, fact in enumerate([first, *history], start=1):
        state = advance(state, fact, version)
        rows.append(Row(STREAM, version, fact.name, stored(fact, state, keys, version), version, NOON))
    said = said_of(ACME, PAT, "e", rows)
    erased = [PersonalDataErased(at=NOON, erasure_id="e", fields=said.fields, people=said.people)] if said else []

    readable = _folded(state, erased, len(rows))
    destroy(keys[PAT])
    unreadable: State | None = None
    for row in rows:
        unreadable = advance(unreadable, decode(row.topic, row.state, (row.key, row.version)), row.position)
    unreadable = _folded(unreadable, erased, len(rows))

    assert unreadable == readable
    assert said_of(ACME, PAT, "e", [*rows, *_rows_of(erased, len(rows))]) is None
    assert isinstance(readable, Activity)
    after = [fact for fact in later if not isinstance(fact, Updated) or "participants" not in fact.model_fields_set]
    assert _folded(unreadable, after, len(rows)) == _folded(readable, after, len(rows))


def _folded(state: State | None, facts: list[Any], position: int) -> State | None:
    for fact in facts:
        state = advance(state, fact, position + 1)
    return state


def _rows_of(facts: list[Any], version: int) -> list[Row]:
    return [Row(STREAM, version + 1, fact.name, encode(fact), version + 1, NOON + timedelta(1)) for fact in facts]


def test_every_stored_name_is_either_plain_or_known_to_the_seal() -> None:
    """Whatever fact is added: nothing named like a text of people's is left out of what is sealed."""
    from domain.activity.blanks import BLANKS
    from domain.personal_data import _PERSONAL

    for event in EVENTS.values():
        if issubclass(event, Fact) and event is not PersonalDataErased:
            texts_of_it = set(BLANKS) & set(event.model_fields)
            assert texts_of_it == set(_PERSONAL.get(event, ())), event.name
