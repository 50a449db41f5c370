"""A stream's facts as a story: each with who, when, by which command, and the states before and after."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from application.event_store.mapper import Event, State, advance, decode
from application.history.moments import happened_at

STREAM = """
select topic, state, originator_version, position, recorded_at, metadata
  from events
 where organization_id = %(organization_id)s and originator_id = %(key)s
 order by originator_version
"""
"""SQL of the rows a chronicle is told from."""

STREAMS = """
select originator_id, topic, state, position
  from events
 where organization_id = %(organization_id)s and originator_id = any(%(keys)s)
   and position <= %(upto)s and (%(until)s::timestamptz is null or recorded_at <= %(until)s)
 order by position
"""
"""SQL of the rows the states of several streams are folded from, as known at a position and an instant."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A fact in its place, and what it changed."""

    event: Event
    version: int
    position: int
    recorded_at: datetime
    metadata: Mapping[str, str]
    before: State | None
    after: State

    @property
    def happened_at(self) -> datetime:
        """When it happened, which may be long before it was recorded."""
        return happened_at(self.event, self.recorded_at)


def chronicle(rows: Iterable[tuple[Any, ...]]) -> Iterator[Chapter]:
    """Tell the rows of STREAM, oldest first."""
    state: State | None = None
    for topic, stored, version, position, recorded_at, metadata in rows:
        event = decode(topic, stored)
        after = advance(state, event, position)
        yield Chapter(event, version, position, recorded_at, metadata, state, after)
        state = after


def retold(chapters: Sequence[Chapter]) -> list[Chapter]:
    """The story as it goes with these facts alone, in the order they were recorded."""
    told: list[Chapter] = []
    state: State | None = None
    for chapter in chapters:
        after = advance(state, chapter.event, chapter.position)
        told.append(replace(chapter, before=state, after=after))
        state = after
    return told


def latest(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, State | None]:
    """The states that rows of STREAMS lead to."""
    states: dict[UUID, State | None] = {}
    for key, topic, stored, position in rows:
        states[key] = advance(states.get(key), decode(topic, stored), position)
    return states
