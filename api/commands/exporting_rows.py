"""`activities export --of NAME`: a view of the schema analytics or a read table as NDJSON or CSV, streamed."""

import csv
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import IO, Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.sql import SQL, Identifier

from api.commands.exportable import table_named
from api.commands.exporting import await_freshness, cell
from api.commands.progress import counting
from application.oversight.on_record import every_organization, export_of, on_record
from application.postgres.connections import Role, conninfo
from projections.read_models import READ_MODELS

AT_ONCE = 1000


def export_rows(dsn: str, organization: str, of: str, format: str, out: IO[str]) -> int:
    """Write what the organisation has in `of`; how many rows. One snapshot, in which every acknowledged write is seen.

    A row is an object of its columns, or a line of cells no spreadsheet takes for a formula. That it was exported is on
    record in the organisation's log. Raises UnknownTable, or CannotServe.
    """
    whose = {organization}.intersection(every_organization(dsn))
    with on_record(dsn, whose, export_of(of, format=format)) as work:
        work.rows = _written(dsn, organization, of, format, out)
    return work.rows


def _written(dsn: str, organization: str, of: str, format: str, out: IO[str]) -> int:
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection, counting(f"exporting {of}", "rows") as told:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        table = table_named(connection, of)
        await_freshness(connection, organization, list(READ_MODELS))
        connection.execute("set local statement_timeout = 0")
        write = _csv_writer(out, _columns(connection, table)) if format == "csv" else _ndjson_writer(out)
        count = 0
        for count, row in enumerate(_rows(connection, table), start=1):
            write(row)
            if count % AT_ONCE == 0:
                told(AT_ONCE)
    return count


def _columns(connection: Connection[Any], table: Identifier) -> list[str]:
    cursor = connection.execute(SQL("select * from {} limit 0").format(table))
    return [column.name for column in cursor.description or ()]


def _rows(connection: Connection[Any], table: Identifier) -> Iterator[str]:
    """Each row as JSON in one line."""
    with connection.cursor(name="export") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(SQL("select row_to_json(said)::text from {} as said").format(table))
        for (row,) in cursor:
            yield row


def _ndjson_writer(out: IO[str]) -> Callable[[str], None]:
    def write(row: str) -> None:
        out.write(row + "\n")

    return write


def _csv_writer(out: IO[str], columns: list[str]) -> Callable[[str], None]:
    writer = csv.writer(out)
    writer.writerow(columns)

    def write(row: str) -> None:
        said = json.loads(row, parse_float=Decimal)
        writer.writerow([cell(said[column]) for column in columns])

    return write
