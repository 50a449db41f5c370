"""One stretch of a log, in one transaction: what stands in plain there is sealed, whole streams at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store import reading
from application.event_store.evidence import TREE
from application.event_store.keyring import SEALED, DataKey
from application.event_store.mapper import EVENTS
from application.event_store.reading import Row
from application.event_store.sealing import Personal, opened, sealed
from application.sealing_the_past.findings import Findings, InPlain, findings_of
from application.sealing_the_past.keys import KeysOfThePast
from domain.activity.blanks import BLANKS

STRETCH = 1000
"""Positions looked at, and about as many facts sealed, while the log is locked: a fraction of a second."""

_TEXTS = {*BLANKS, "participants", "fields"}
_TOPICS = [name for name, event in EVENTS.items() if _TEXTS & event.model_fields.keys()]

_CONFINE = "select set_config('activities.organization_id', %s, true)"
_HEAD = "select position from heads where organization_id = %s for update"
_TREE = """
insert into cursors (organization_id, read_model, position, epoch) values (%s, %s, 0, 0)
on conflict do nothing
"""
_COVERED = """
select greatest(c.position, (select max(a.size) from audit_checkpoints a where a.organization_id = c.organization_id))
  from cursors c
 where c.organization_id = %s and c.read_model = %s
   for update of c
"""
_STREAMS = """
select u.originator_id, u.first, (select max(e.originator_version) from events e
                                   where e.organization_id = %(organization_id)s and e.originator_id = u.originator_id)
  from (select originator_id, min(position) as first
          from events
         where organization_id = %(organization_id)s and position > %(after)s and position <= %(upto)s
           and topic = any(%(topics)s) and substr(state, 1, %(length)s) <> %(sealed)s
         group by originator_id) u
 order by u.first
"""
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
        connection.execute(_CONFINE, (organization_id,))
        head, covered = _locked(connection, organization_id)
        start = max(position, covered)
        upto = min(start + STRETCH, head)
        if start >= head:
            return Done(start, last=True)
        streams, upto = _streams(connection, organization_id, start, upto)
        found = _found(connection, organization_id, streams, head, covered)
        states = _states(connection, organization_id, found)
        if states:
            connection.execute(_BEGUN)
            connection.execute(_SEAL, (list(states), list(states.values()), organization_id))
    left = frozenset(findings.stream for findings in found if not findings.whole)
    return Done(upto, upto >= head, len(states), left)


def _locked(connection: Connection[Any], organization_id: str) -> tuple[int, int]:
    """Where the log ends, and how much of it the tree covers; both stay so until commit."""
    head = connection.execute(_HEAD, (organization_id,)).fetchone()
    connection.execute(_TREE, (organization_id, TREE))
    covered = connection.execute(_COVERED, (organization_id, TREE)).fetchone()
    assert head is not None  # only logs that have events are come to
    assert covered is not None  # it was put there, if it was not
    return int(head[0]), int(covered[0])


def _streams(connection: Connection[Any], organization_id: str, after: int, upto: int) -> tuple[list[UUID], int]:
    """The streams that may have something to seal in a stretch; it ends before those that would be too many facts."""
    parameters = {
        "organization_id": organization_id,
        "after": after,
        "upto": upto,
        "topics": _TOPICS,
        "length": len(SEALED),
        "sealed": SEALED,
    }
    streams: list[UUID] = []
    facts = 0
    for key, first, length in connection.execute(_STREAMS, parameters):
        if streams and facts + length > STRETCH:
            return streams, first - 1
        streams.append(key)
        facts += length
    return streams, upto


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
