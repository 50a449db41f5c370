"""When: an instant, a version of one stream, or a position in the organisation's log; and by which of two clocks.

What was *known* at a moment is what had been recorded by then. What had *happened* by an instant is told by all that
is known (now, or at another moment): a call logged late shows under both, from the time it was made, and from the time
it was logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.activity.events import ActivityEvent, Completed


@dataclass(frozen=True, slots=True)
class Version:
    """After so many facts of one stream."""

    number: int


@dataclass(frozen=True, slots=True)
class Position:
    """Once the organisation's log had come so far."""

    number: int


Moment = datetime | Version | Position


@dataclass(frozen=True, slots=True)
class When:
    """By what was known at a moment (None: now), and of that by what had happened by an instant (None: all of it)."""

    known: Moment | None = None
    happened: datetime | None = None


class Placed(Protocol):
    """A fact in its place."""

    @property
    def version(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def happened_at(self) -> datetime: ...


def known_by(fact: Placed, moment: Moment) -> bool:
    """Whether it had been recorded by then."""
    if isinstance(moment, Version):
        return fact.version <= moment.number
    if isinstance(moment, Position):
        return fact.position <= moment.number
    return fact.recorded_at <= moment


def happened_at(event: ActivityEvent | object, recorded_at: datetime) -> datetime:
    """When a fact happened: a completion at the time it names, everything else when it was recorded."""
    return event.completed_at if isinstance(event, Completed) else recorded_at


def happened_by(times: Sequence[datetime], instant: datetime) -> list[bool]:
    """Which facts of one stream, oldest first, had happened by then.

    Nothing happens to what is not there: the first counts as happened with the earliest of them.
    """
    return [] if not times else [min(times) <= instant, *(time <= instant for time in times[1:])]
