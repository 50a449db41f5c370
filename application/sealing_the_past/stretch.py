"""One stretch of a log, in one transaction: what stands in plain there is sealed, whole streams at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store import reading
from application.event_store.keyring import DataKey
from application.event_store.mapper import EVENTS
from application.event_store.reading import Row
from application.event_store.sealing import Personal, opened, sealed
from application.sealing_the_past.findings import Findings, InPlain, findings_of
from application.sealing_the_past.keys import KeysOfThePast
from application.sealing_the_past.looking import locked, streams_in_plain

STRETCH = 1000
"""Positions looked at, and about as many facts sealed, while the log is locked: a fraction of a second."""

_SEAL = """
update events e set state = s.state
  from unnest(%s::bigint[], %s::bytea[]) as s(position, state)
 where e.organization_id = %s and e.position = s.position
"""
_BEGUN = "insert into past default values on conflict do nothing"


@dataclass(frozen=True, slots=True)
class Done:
    """How far it came, whether that is the end, how many facts were sealed, and of which streams not all could be."""

    position: int
    last: bool
    sealed: int = 0
    left: frozenset[UUID] = frozenset()


def seal_stretch(connection: Connection[Any], organization_id: str, position: int) -> Done:
    """Seal what stands in plain after `position`, for a stretch. Raises WrongMasterKey.

    The log is locked, so that nobody makes or closes a key meanwhile; so is the tree, that it takes nothing in.
    What it has taken in is left as it is.
    """
    with connection.transaction():
        head, covered = locked(connection, organization_id)
        start = max(position, covered)
        upto = min(start + STRETCH, head)
        if start >= head:
            return Done(start, last=True)
        streams, upto = streams_in_plain(connection, organization_id, start, upto, STRETCH)
        found = _found(connection, organization_id, streams, head, covered)
        states = _states(connection, organization_id, found)
        if states:
            connection.execute(_BEGUN)
            connection.execute(_SEAL, (list(states), list(states.values()), organization_id))
    left = frozenset(findings.stream for findings in found if not findings.whole)
    return Done(upto, upto >= head, len(states), left)


def _found(
    connection: Connection[Any], organization_id: str, streams: list[UUID], head: int, covered: int
) -> list[Findings]:
    by_stream: dict[UUID, list[Row]] = {}
    for row in reading.streams(connection, organization_id, streams, head):
        by_stream.setdefault(row.key, []).append(row)
    return [findings_of(organization_id, key, rows, covered) for key, rows in by_stream.items()]


def _states(connection: Connection[Any], organization_id: str, found: list[Findings]) -> dict[int, bytes]:
    """What is to be stored, by position."""
    keys = KeysOfThePast(connection, organization_id)
    people = {person for findings in found for plain in findings.in_plain for person in plain.people()}
    keys.look_up(people, {erasure_id for findings in found for _, erasure_id in findings.erased.values()})
    states: dict[int, bytes] = {}
    for findings in found:
        for plain in findings.in_plain:
            if (state := _sealed(plain, findings, keys)) is None:
                findings.whole = False
            else:
                states[plain.row.position] = state
    if states:
        keys.keep()
    return states


def _sealed(plain: InPlain, findings: Findings, keys: KeysOfThePast) -> bytes | None:
    """What is to be stored; None where it would not open to the very same fact. What it was is overwritten for good."""
    row, (fields, with_whom, participants) = plain.row, plain.whose

    def key_of(person: UUID) -> DataKey:
        return keys.of(person, findings.erasure_of(person, row.version))

    of_texts = key_of(with_whom) if fields and with_whom is not None else None
    personal = Personal(fields, of_texts, {place: key_of(who) for place, who in participants})
    state = sealed(plain.fact, personal, row.key, row.version, in_order=True)
    back = EVENTS[row.topic].model_validate_json(
        opened(state, keys.by_id.__getitem__, place=f"{row.key.hex}.{row.version}")
    )
    same = back.model_dump_json() == plain.fact.model_dump_json()
    return state if same and back.model_fields_set == plain.fact.model_fields_set else None
