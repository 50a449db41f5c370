"""Reading the log as evidence: whole rows, and what is wrong with them by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.proof.leaf import Leaves, instant

CHUNK = 4096
"""Rows read at once: whole tiles of a tree."""

TREE = "audit_tree"
"""What the cursor of the tree over a log is called: the events up to it are never touched again."""

_ROWS = """
select e.position, e.originator_id, e.originator_version, e.topic, e.recorded_at, e.metadata, e.state, r.leaf
  from events e
  left join redactions r on r.organization_id = e.organization_id and r.position = e.position
 where e.organization_id = %s and e.position > %s and e.position <= %s
 order by e.position
"""
_RECORDED_AT = "select recorded_at from events where organization_id = %s and position = %s"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A stored event, whole. `redacted` is the leaf it had before its content was blanked, if it was."""

    position: int
    stream: UUID
    version: int
    topic: str
    recorded_at: datetime
    metadata: dict[str, Any]
    state: bytes
    redacted: bytes | None

    def leaf(self, leaves: Leaves) -> bytes:
        if self.redacted is not None:
            return self.redacted
        return leaves.of(
            self.position,
            self.stream,
            self.version,
            self.topic,
            instant(self.recorded_at),
            self.metadata,
            self.state,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a log, and at which position first."""

    position: int
    reason: str

    def __str__(self) -> str:
        return f"event {self.position} {self.reason}"


def exhibits(connection: Connection[Any], organization_id: str, position: int, upto: int) -> list[Exhibit]:
    """The stored events after `position` and up to `upto`, in order."""
    return [Exhibit(*row) for row in connection.execute(_ROWS, (organization_id, position, upto))]


def recorded_at(connection: Connection[Any], organization_id: str, position: int) -> datetime | None:
    """When the event at a position was recorded."""
    row = connection.execute(_RECORDED_AT, (organization_id, position)).fetchone()
    return None if row is None else row[0]


def chunks(position: int, upto: int, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """The stretch after `position` and up to `upto` in pieces that end where tiles do."""
    while position < upto:
        end = min(upto, position - position % size + size)
        yield position, end
        position = end


def out_of_order(found: list[Exhibit], position: int, upto: int, before: datetime | None) -> Fault | None:
    """The first fault of the rows from `position` on that shows without a tree: a hole, time that runs backwards, or
    a redaction that hides content."""
    for place, exhibit in enumerate(found, start=position + 1):
        if exhibit.position != place:
            return Fault(place, "is missing")
        if before is not None and exhibit.recorded_at < before:
            return Fault(place, "was recorded before the one before it")
        before = exhibit.recorded_at
        if exhibit.redacted is not None and (exhibit.state or len(exhibit.redacted) != 32):
            return Fault(place, "is said to be redacted, and is not blank")
    return None if len(found) == upto - position else Fault(position + len(found) + 1, "is missing")
