"""One organisation's log as the eventsourcing library sees it: its notification ids are our positions.

Each call is one transaction and never retried: a lost acknowledgement cannot turn into a false conflict.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from psycopg import Connection, Cursor
from psycopg.rows import BaseRowFactory, class_row, scalar_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

CHANNEL = "activities_recorded"
POLL_SECONDS = 0.25
_STOP_SECONDS = 0.05  # how long a waiting subscription takes to notice that it was stopped
_READ_AHEAD = 500
_END_OF_TIME = 2**63 - 1

Row = TypeVar("Row")

_FOR_ORGANIZATION = "select set_config('activities.organization_id', %s, true)"

# Opened first, the log is locked when the clock is read: time never runs backwards in it.
_APPEND = """
select append_events(%(organization_id)s,
                     greatest(clock_timestamp(), log.last_recorded_at),
                     %(originator_ids)s::uuid[],
                     %(originator_versions)s::bigint[],
                     %(topics)s::text[],
                     %(states)s::bytea[],
                     %(metadata)s::jsonb[])
  from open_log(%(organization_id)s) as log
"""
_EVENTS = """
select originator_id, originator_version, topic, state
  from events
 where organization_id = %(organization_id)s
   and originator_id = %(originator_id)s
   and (%(gt)s::bigint is null or originator_version > %(gt)s)
   and (%(lte)s::bigint is null or originator_version <= %(lte)s)
 order by originator_version {direction}
 limit %(limit)s
"""
_NOTIFICATIONS = """
select position as id, originator_id, originator_version, topic, state
  from events
 where organization_id = %(organization_id)s
   and position between %(first)s and %(last)s
   and (cardinality(%(topics)s::text[]) = 0 or topic = any(%(topics)s::text[]))
 order by position
 limit %(limit)s
"""
_MAX_POSITION = """
select position
  from heads
 where organization_id = %(organization_id)s
   and position > 0
"""


class OrganizationRecorder(ApplicationRecorder):
    """`pool` connects as the writer, with our schema on the search path (`postgres.connections`)."""

    def __init__(self, pool: ConnectionPool[Any], organization_id: str) -> None:
        self._pool = pool
        self.organization_id = organization_id

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        metadata: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Sequence[int]:
        """Append all or none, each with the same metadata; their positions.

        Raises IntegrityError when a stream has an event of that version already.
        """
        if unknown := [name for name, value in kwargs.items() if value is not None]:
            raise TypeError(f"cannot record {', '.join(unknown)} with the events")
        if not stored_events:
            return []
        with self._cursor(scalar_row) as cursor:
            last: Any = cursor.execute(
                _APPEND,
                {
                    "organization_id": self.organization_id,
                    "originator_ids": [event.originator_id for event in stored_events],
                    "originator_versions": [event.originator_version for event in stored_events],
                    "topics": [event.topic for event in stored_events],
                    "states": [event.state for event in stored_events],
                    "metadata": [Jsonb(dict(metadata or {}))] * len(stored_events),
                },
            ).fetchone()
        return list(range(last - len(stored_events) + 1, last + 1))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        with self._cursor(class_row(StoredEvent)) as cursor:
            return cursor.execute(
                _EVENTS.format(direction="desc" if desc else "asc"),
                {
                    "organization_id": self.organization_id,
                    "originator_id": originator_id,
                    "gt": gt,
                    "lte": lte,
                    "limit": limit,
                },
            ).fetchall()

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        with self._cursor(class_row(Notification)) as cursor:
            return cursor.execute(
                _NOTIFICATIONS,
                {
                    "organization_id": self.organization_id,
                    "first": (start or 0) if inclusive_of_start else (start or 0) + 1,
                    "last": _END_OF_TIME if stop is None else stop,
                    "topics": list(topics),
                    "limit": limit,
                },
            ).fetchall()

    def max_notification_id(self) -> int | None:
        with self._cursor(scalar_row) as cursor:
            position: int | None = cursor.execute(_MAX_POSITION, {"organization_id": self.organization_id}).fetchone()
        return position

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Follow the log. Holds one connection of the pool while it is followed, and reads on another."""
        return OrganizationSubscription(self, gt, topics)

    @contextmanager
    def listening(self) -> Iterator[Connection[Any]]:
        """A connection that hears of everything recorded from now on, in any organisation."""
        with self._connection() as connection:
            connection.execute(f"listen {CHANNEL}")
            connection.commit()
            try:
                yield connection
            finally:
                with suppress(psycopg.OperationalError):  # a broken connection listens no more
                    connection.execute(f"unlisten {CHANNEL}")
                    connection.commit()

    @contextmanager
    def _cursor(self, rows: BaseRowFactory[Row]) -> Iterator[Cursor[Row]]:
        """A transaction that sees this organisation's rows and no others."""
        with self._connection() as connection, connection.transaction():
            connection.execute(_FOR_ORGANIZATION, (self.organization_id,))
            yield connection.cursor(row_factory=rows)

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        try:
            with self._pool.connection() as connection:
                yield connection
        except psycopg.Error as error:
            raise _in_library_terms(error) from error


class OrganizationSubscription(Subscription[OrganizationRecorder]):
    """Delivers what is recorded, in order, for ever. A hint wakes it; a poll finds what no hint told of.

    It listens before it reads, so nothing is recorded between the two unheard. Filtered topics are read and
    passed over, so that it never reads the same stretch twice.
    """

    def __init__(self, recorder: OrganizationRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        self._deliveries = self._deliver()

    def __next__(self) -> Notification:
        return next(self._deliveries)

    def stop(self) -> None:
        super().stop()
        with suppress(ValueError):  # another thread waits inside: it notices, and ends by itself
            self._deliveries.close()

    def _deliver(self) -> Generator[Notification, None, None]:
        with self._recorder.listening() as connection:
            while not self._has_been_stopped:
                read = self._recorder.select_notifications(
                    self._last_notification_id, _READ_AHEAD, inclusive_of_start=False
                )
                for notification in read:
                    if self._has_been_stopped:
                        return
                    self._last_notification_id = notification.id
                    if not self._topics or notification.topic in self._topics:
                        yield notification
                if not read:
                    self._wait(connection)

    def _wait(self, connection: Connection[Any]) -> None:
        """Until a hint for this organisation, the poll's turn, or the end."""
        deadline = monotonic() + POLL_SECONDS
        while not self._has_been_stopped and monotonic() < deadline:
            hints = connection.notifies(timeout=_STOP_SECONDS)
            if any(hint.payload == self._recorder.organization_id for hint in hints):
                return


def _in_library_terms(error: psycopg.Error) -> persistence.PersistenceError:
    """Both libraries name their errors after PEP 249."""
    for kind in type(error).__mro__:
        named = getattr(persistence, kind.__name__, None)
        if isinstance(named, type) and issubclass(named, persistence.PersistenceError):
            return named(str(error))
    return persistence.PersistenceError(str(error))
