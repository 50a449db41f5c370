"""The read table, and the projection that fills it: one event a transaction, as the library's runner does it."""

from typing import Any
from uuid import UUID

import orjson
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from benchmarks.peers.stock.domain import Activity
from domain.vocabulary import Status

_TABLE = SQL("""
create table if not exists activity_view (
    id uuid primary key, organization_id text not null, status text not null, document jsonb not null
)
""")
_INSERT = "insert into activity_view values (%s, %s, 'pending', %s)"
_CHANGE = """
update activity_view set status = coalesce(%s, status), document = document || %s where id = %s
"""


def _json(value: Any) -> Jsonb:
    return Jsonb(value, dumps=lambda said: orjson.dumps(said).decode())


class ActivityView(PostgresTrackingRecorder):
    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.sql_create_statements.append(_TABLE.format())

    def insert(self, rows: list[tuple[UUID, str, dict[str, Any]]], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.executemany(_INSERT, [(key, organization, _json(document)) for key, organization, document in rows])

    def change(self, key: UUID, status: str | None, changes: dict[str, Any], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(_CHANGE, (status, _json(changes), key))

    def document(self, key: UUID, organization_id: str) -> dict[str, Any] | None:
        with self.datastore.cursor() as cursor:
            cursor.execute(
                "select document from activity_view where id = %s and organization_id = %s", (key, organization_id)
            )
            row = cursor.fetchone()
        return None if row is None else row["document"]


class ActivityProjection(Projection[ActivityView]):
    name = "activity_view"

    @singledispatchmethod
    def process_event(self, event: Any, tracking: Tracking) -> None:
        raise NotImplementedError(type(event))

    @process_event.register
    def created(self, event: Activity.Created, tracking: Tracking) -> None:
        self.view.insert([_row(event)], tracking)

    @process_event.register
    def rescheduled(self, event: Activity.Rescheduled, tracking: Tracking) -> None:  # type: ignore[name-defined]
        changes = {"due_at": event.due_at, "reminder_at": event.reminder_at, "version": event.originator_version}
        self.view.change(event.originator_id, None, changes, tracking)

    @process_event.register
    def completed(self, event: Activity.Completed, tracking: Tracking) -> None:  # type: ignore[name-defined]
        status = Status.COMPLETED.value
        done = {"status": status, "completed_at": event.completed_at, "version": event.originator_version}
        self.view.change(event.originator_id, status, {**event.said, **done}, tracking)

    @process_event.register
    def updated(self, event: Activity.Updated, tracking: Tracking) -> None:  # type: ignore[name-defined]
        changes = {**event.changes, "version": event.originator_version}
        self.view.change(event.originator_id, None, changes, tracking)


def _row(event: Any) -> tuple[UUID, str, dict[str, Any]]:
    """The row of an activity that was just created."""
    when = event.timestamp.isoformat()
    document = {
        "id": str(event.originator_id),
        "version": event.originator_version,
        "status": Status.PENDING.value,
        "created_by": {"id": event.created_by},
        "created_at": when,
        "updated_at": when,
        **event.said,
    }
    return event.originator_id, event.organization_id, document
