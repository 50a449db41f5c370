"""Facts to stored bytes and back. A stored name is a contract for ever: every version ever stored stays here."""

from functools import lru_cache
from typing import Any, get_args
from uuid import UUID, uuid5

from application.event_store.keyring import RING, SEALED
from application.event_store.sealing import AnyFact, opened
from application.ulids import ulid_of, uuid_of
from domain.activity.activity import Activity, evolve
from domain.activity.events import ActivityEvent
from domain.api_key.api_key import ApiKey, evolve_api_key
from domain.api_key.events import ApiKeyEvent, ApiKeyFact
from domain.erasure.erasures import Erasures, evolve_erasures
from domain.erasure.events import ErasureEvent, ErasureFact
from domain.oversight.events import OversightEvent, OversightFact
from domain.oversight.undertaking import Undertaking, evolve_undertaking
from domain.record.events import RecordEvent, RecordFact
from domain.record.record import Record, evolve_record
from domain.vocabulary import RecordKind

Event = ActivityEvent | RecordEvent | ApiKeyEvent | OversightEvent | ErasureEvent
State = Activity | Record | ApiKey | Undertaking | Erasures

EVENTS: dict[str, type[AnyFact]] = {
    event.name: event
    for kind in (ActivityEvent, RecordEvent, ApiKeyEvent, OversightEvent, ErasureEvent)
    for event in get_args(kind)
}

ERASURES = UUID("b7c1d2a4-3d0f-5b61-9a57-0d6e5f1c2b9e")  # for ever: the stream of an organisation's erasures
_RECORDS = UUID("0f6b3c9e-6a0c-5d0e-9d5e-5a2f7c1b8e44")  # for ever: stream ids of records derive from it


def encode(event: Event) -> bytes:
    """Plain JSON of exactly the fields that were given: for facts in which nothing is personal (else see sealing)."""
    return event.model_dump_json(exclude_unset=True).encode()


def decode(topic: str, state: bytes, place: tuple[UUID, int] | None = None) -> Any:
    """The fact a stored row holds; what was erased is blank. `place` is its stream and version, where they are known.

    Raises KeyError for a name this version does not know, Tampered, and NotLearned where the process's ring was not
    taught the keys: those who read the log through `reading`, `log` or a Reader have that done.
    """
    return EVENTS[topic].model_validate_json(plain(state, place))


def plain(state: bytes, place: tuple[UUID, int] | None = None) -> bytes:
    """The JSON a stored row holds, whatever its name; what was erased is blank. Raises Tampered and NotLearned."""
    if not state.startswith(SEALED):
        return state
    return opened(state, RING.key, place=None if place is None else f"{place[0].hex}.{place[1]}")


def activity_key(activity_id: str) -> UUID:
    """The stream of an activity: its ULID's bits. Raises ValueError when it is no ULID."""
    return uuid_of(activity_id)


def api_key_key(key_id: str) -> UUID:
    """The stream of an API key: its ULID's bits, too. Raises ValueError when it is no ULID."""
    return activity_key(key_id)


def undertaking_key(work_id: str) -> UUID:
    """The stream of a piece of work upon a whole log: its ULID's bits, too."""
    return activity_key(work_id)


@lru_cache(maxsize=16_384)
def record_key(kind: RecordKind | str, record_id: str) -> UUID:
    """The stream of a record. Ids that are ULIDs are the same in either case; others are opaque."""
    return uuid5(_RECORDS, f"{RecordKind(kind).value}:{_canonical(record_id)}")


def _canonical(record_id: str) -> str:
    try:
        return ulid_of(uuid_of(record_id))
    except ValueError:
        return record_id


def advance(state: State | None, event: Event, position: int) -> State:
    """The one fold, whatever the stream is of."""
    if isinstance(event, RecordFact):
        assert state is None or isinstance(state, Record)
        return evolve_record(state, event)
    if isinstance(event, ApiKeyFact):
        assert state is None or isinstance(state, ApiKey)
        return evolve_api_key(state, event)
    if isinstance(event, ErasureFact):
        assert state is None or isinstance(state, Erasures)
        return evolve_erasures(state, event)
    if isinstance(event, OversightFact):
        assert state is None or isinstance(state, Undertaking)
        return evolve_undertaking(state, event)
    assert state is None or isinstance(state, Activity)
    return evolve(state, event, position)
