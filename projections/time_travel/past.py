"""Which moment is meant: a position of the log up to which facts are known, and the instant the answer is judged at."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from application.history.changes import at_instant
from application.history.moments import Position, When

_RECORDED_AT = "select recorded_at from events where organization_id = %s and position = %s"


@dataclass(frozen=True, slots=True)
class Past:
    """Facts up to `upto` are known; of those of activities the ones that had happened by `happened`, where it is set.

    Streams without a fact after `since` read as they do now. `judged` decides what is overdue.
    """

    upto: int
    happened: datetime | None
    since: int
    judged: datetime


def past_of(connection: Connection[Any], organization_id: str, when: When, head: int) -> Past:
    upto = head
    if isinstance(when.known, datetime):
        upto = _position_at(connection, organization_id, when.known)
    elif isinstance(when.known, Position):
        upto = min(when.known.number, head)
    since, judged = upto, when.known if isinstance(when.known, datetime) else None
    if when.happened is not None:
        since, judged = min(since, _position_at(connection, organization_id, when.happened)), when.happened
    if judged is None:
        row = connection.execute(_RECORDED_AT, (organization_id, upto)).fetchone()
        judged = datetime.now(UTC) if row is None else row[0]
    return Past(upto, when.happened, since, judged)


def _position_at(connection: Connection[Any], organization_id: str, instant: datetime) -> int:
    row = connection.execute(*at_instant(organization_id, instant)).fetchone()
    return 0 if row is None else int(row[0])
