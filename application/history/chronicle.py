"""A stream's facts as a story: each with who, when, by which command, and the states before and after."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.event_store.mapper import Event, State, advance, decode
from domain.activity.events import Completed

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
 order by position
"""
"""SQL of the rows the latest states of several streams are folded from."""


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
        return self.event.completed_at if isinstance(self.event, Completed) else self.recorded_at


def chronicle(rows: Iterable[tuple[Any, ...]]) -> Iterator[Chapter]:
    """Tell the rows of STREAM, oldest first."""
    state: State | None = None
    for topic, stored, version, position, recorded_at, metadata in rows:
        event = decode(topic, stored)
        after = advance(state, event, position)
        yield Chapter(event, version, position, recorded_at, metadata, state, after)
        state = after


def as_of(rows: Iterable[tuple[Any, ...]], moment: datetime | int) -> State | None:
    """The state at an instant (of recording) or at a version; None where there was none yet.

    A version beyond the latest was never reached: None too.
    """
    state, reached = None, 0
    for chapter in chronicle(rows):
        if isinstance(moment, datetime) and chapter.recorded_at > moment:
            break
        if isinstance(moment, int) and chapter.version > moment:
            break
        state, reached = chapter.after, chapter.version
    if isinstance(moment, int) and reached < moment:
        return None
    return state


def latest(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, State | None]:
    """The states that rows of STREAMS lead to."""
    states: dict[UUID, State | None] = {}
    for key, topic, stored, position in rows:
        states[key] = advance(states.get(key), decode(topic, stored), position)
    return states
