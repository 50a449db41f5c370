"""`activities export`: an organisation's activities as NDJSON or CSV, streamed, never held in memory as a whole."""

import csv
import json
import time
from collections.abc import Iterator
from typing import IO, Any

import psycopg
from psycopg import Connection, IsolationLevel

from api.commands.progress import counting
from api.serving.errors import CannotServe
from application.event_store.mapper import EVENTS
from application.oversight.on_record import every_organization, export_of, on_record
from application.postgres.connections import Role, conninfo
from domain.activity.events import Fact
from domain.record.events import RecordFact

COLUMNS = (
    "id external_id type status priority subject description activityable_type activityable_id contact_id "
    "assigned_user_id due_at reminder_at completed_at cancelled_at duration_minutes planned_duration_minutes "
    "actual_duration_minutes location outcome tags rescheduled_count previous_due_at follow_up_required "
    "follow_up_date is_billable billable_rate billable_amount currency custom_fields version created_at updated_at"
).split()
PATIENCE = 30.0
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLACE = "select reached from begin_reading(%s, %s)"
_MISSING = "select exists (select from events where organization_id = %s and position > %s and topic = any(%s))"
_TOLD = [topic for topic, event in EVENTS.items() if issubclass(event, Fact | RecordFact)]
_ROWS = """
select document from activity_list
 where organization_id = %s and deleted_at is null
 order by activity_id
"""


def export(dsn: str, organization: str, format: str, out: IO[str]) -> int:
    """Write every activity there is; how many. Sees every write acknowledged before, or raises CannotServe.

    That the activities were exported, and how many, is on record in their organisation's log.
    """
    whose = {organization}.intersection(every_organization(dsn))  # one without a log has nothing to export
    with on_record(dsn, whose, export_of("activities", format=format)) as work:
        work.rows = _written(dsn, organization, format, out)
    return work.rows


def _written(dsn: str, organization: str, format: str, out: IO[str]) -> int:
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection, counting("exporting", "activities") as told:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        await_freshness(connection, organization, ["activity_list"])
        connection.execute("set local statement_timeout = 0")
        write = _csv_writer(out) if format == "csv" else _ndjson_writer(out)
        count = 0
        for count, document in enumerate(_documents(connection, organization), start=1):
            write(document)
            if count % 1000 == 0:
                told(1000)
    return count


def await_freshness(connection: Connection[Any], organization: str, read_models: list[str]) -> None:
    """Leaves a transaction open whose snapshot is fresh, confined to the organisation.

    Of what is no fact of an activity or a record the tables need not have heard: an export goes on record itself, and
    must not need a projector for that.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        [(reached,)] = connection.execute(_PLACE, (organization, read_models)).fetchall()
        [(missing,)] = connection.execute(_MISSING, (organization, reached or 0, _TOLD)).fetchall()
        if not missing:
            return
        connection.rollback()
        if time.monotonic() > deadline:
            raise CannotServe("the read tables have not caught up with the log: is a projector at work?")
        time.sleep(0.05)


def _documents(connection: Connection[Any], organization: str) -> Iterator[str]:
    with connection.cursor(name="export") as cursor:
        cursor.itersize = 1000
        cursor.execute(_ROWS, (organization,))
        for (document,) in cursor:
            yield document


def _ndjson_writer(out: IO[str]) -> Any:
    def write(document: str) -> None:
        out.write(document + "\n")

    return write


def _csv_writer(out: IO[str]) -> Any:
    writer = csv.writer(out)
    writer.writerow(COLUMNS)

    def write(document: str) -> None:
        said = json.loads(document)
        writer.writerow([cell(said.get(column)) for column in COLUMNS])

    return write


def cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula. Lists are parted by semicolons, objects are JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ";".join(value)
    elif isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
