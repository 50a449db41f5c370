"""Who changed what in an organisation between two positions of its log, each fact with the states around it.

Only the streams that have facts there are folded, each from its own beginning: the rest of the log is not read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from application.event_store.mapper import State, advance, decode
from application.history.feed import Entry, entry_of

POSITION_AT = """
with recursive halving(low, high) as (
    select 0::bigint, coalesce(max(position), 0) from heads where organization_id = %(organization_id)s
    union all
    select case when recorded_at <= %(instant)s then middle else low end,
           case when recorded_at <= %(instant)s then high else middle - 1 end
      from (select low, high, (low + high + 1) / 2 as middle,
                   (select e.recorded_at from events e
                     where e.organization_id = %(organization_id)s and e.position = (low + high + 1) / 2) as recorded_at
              from halving where low < high) halves
)
select low from halving where low = high
"""
"""SQL of the last position recorded by an instant. Time never runs backwards in a log, so halving finds it."""

_FACTS = """
select position, originator_id
  from events
 where organization_id = %(organization_id)s and position > %(after)s and position <= %(upto)s{conditions}
 order by position
 limit %(limit)s
"""
_CONDITIONS = {
    "topics": "topic = any(%(topics)s)",
    "actors": "metadata ->> 'actor' = any(%(actors)s)",
    "stream": "originator_id = %(stream)s",
}

STREAMS = """
select originator_id, topic, state, originator_version, position, recorded_at, metadata
  from events
 where organization_id = %(organization_id)s and originator_id = any(%(keys)s) and position <= %(upto)s
 order by originator_id, originator_version
"""
"""SQL of the whole streams the states around some facts are folded from."""


@dataclass(frozen=True, slots=True)
class Change:
    """A fact, and the states before and after it; `told` is False where they cannot be folded."""

    entry: Entry
    before: State | None = None
    after: State | None = None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which facts: by whom, of which kinds, of which stream. What is empty or None does not narrow."""

    topics: Sequence[str] = ()
    actors: Sequence[str] = ()
    stream: UUID | None = None

    def facts(self, organization_id: str, after: int, upto: int, limit: int) -> tuple[str, dict[str, Any]]:
        """SQL of the positions and streams of the first such facts after one position and up to another."""
        said = {"topics": list(self.topics), "actors": list(self.actors), "stream": self.stream}
        asked = {name: value for name, value in said.items() if value}
        conditions = "".join(f" and {_CONDITIONS[name]}" for name in asked)
        place = {"organization_id": organization_id, "after": after, "upto": upto, "limit": limit}
        return _FACTS.format(conditions=conditions), place | asked


def changes_of(rows: Iterable[tuple[Any, ...]], positions: frozenset[int]) -> list[Change]:
    """The changes at these positions, in order, from the rows of STREAMS."""
    found: list[Change] = []
    for _, stream in groupby(rows, key=lambda row: row[0]):
        found += (change for change in _story(stream) if change.entry.position in positions)
    return sorted(found, key=lambda change: change.entry.position)


def _story(rows: Iterable[tuple[Any, ...]]) -> Iterator[Change]:
    """Every change of one stream. What comes after a fact that cannot be folded is told without states."""
    state: State | None = None
    first: bytes | None = None
    readable = True
    for key, topic, stored, version, position, recorded_at, metadata in rows:
        first = stored if first is None else first
        entry = entry_of(position, key, version, topic, stored, metadata, recorded_at, first)
        before = state
        try:
            state = advance(state, decode(topic, stored), position) if readable else None
        except Exception:  # noqa: BLE001  whatever it is, the fact is told all the same
            readable, state = False, None
        yield Change(entry, before, state, told=True) if readable else Change(entry, told=False)


def at_instant(organization_id: str, instant: datetime) -> tuple[str, dict[str, Any]]:
    return POSITION_AT, {"organization_id": organization_id, "instant": instant}
