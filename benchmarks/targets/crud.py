"""The CRUD peer: one process; filled by COPY."""

import json
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from benchmarks.data.sample import Sampled
from benchmarks.peers import serve
from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.indexes import INDEXES
from benchmarks.peers.crud.tables import Audit, Record
from benchmarks.targets.target import SECRET, Target
from domain.vocabulary import Priority, Status

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_UNSAID: dict[str, Any] = {
    "follow_up_required": False,
    "custom_fields": json.dumps({}),
    "is_billable": False,
    "participants": json.dumps([]),
    "attachment_urls": [],
}
_RECORD = ("organization_id", "kind", "id", "name", "email", "value", "stage")


class Crud(Target):
    name = "crud"

    def _prepare(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("create extension pg_trgm")
            for table in (Record, Activity, Audit):
                connection.execute(str(CreateTable(table.__table__).compile(dialect=_DIALECT)))  # type: ignore[arg-type]
            for sample in self.samples:
                records = (
                    {"organization_id": sample.organization, "kind": kind.value, "id": id_, **fields}
                    for kind, id_, fields in sample.records()
                )
                _copy(connection, "records", [[row.get(column) for column in _RECORD] for row in records], _RECORD)
                self._copy_activities(connection, sample.organization, sample.activities())
            for index in INDEXES:
                connection.execute(str(CreateIndex(index).compile(dialect=_DIALECT)))
            connection.execute("vacuum (analyze)")

    def _start(self) -> None:
        env = {serve.DSN: self.dsn, serve.SECRET: SECRET, serve.LISTEN_FD: str(self.door.listener.fileno())}
        self.crew.start("worker", "benchmarks.peers.serve", "crud", env=env, listener=self.door.listener)

    def add(self, more: Iterable[Sampled]) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            self._copy_activities(connection, self.main.organization, more)

    def recorded(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(f"select count(*) from {Audit.__tablename__}").fetchone()
        assert row is not None
        return int(row[0])

    def _copy_activities(
        self, connection: psycopg.Connection[Any], organization: str, activities: Iterable[Sampled]
    ) -> None:
        rows = (row_of(organization, sampled) for sampled in activities)
        first = next(rows, None)
        if first is not None:
            columns = tuple(first)
            _copy(connection, "activities", _values(first, rows), columns)


def _values(first: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Iterable[list[Any]]:
    yield list(first.values())
    for row in rows:
        yield list(row.values())


def row_of(organization: str, sampled: Sampled) -> dict[str, Any]:
    """The row an activity would have by now."""
    said = dict(sampled.said)
    done, cancelled = sampled.status is Status.COMPLETED, sampled.status is Status.CANCELLED
    planned = said.pop("duration_minutes")
    return {
        "id": sampled.key,
        "organization_id": organization,
        "version": 1 if sampled.status is Status.PENDING else 2,
        "status": sampled.status.value,
        "priority_rank": Priority(said.pop("priority")).rank,
        "created_by_id": "user-1",
        "rescheduled_count": 0,
        "planned_duration_minutes": planned,
        "actual_duration_minutes": planned if done else None,
        "started_at": sampled.at if sampled.status is Status.IN_PROGRESS else None,
        "completed_at": sampled.at if done else None,
        "cancelled_at": sampled.at if cancelled else None,
        "created_at": sampled.at,
        "updated_at": sampled.at,
        **_UNSAID,
        **said,
    }


def _copy(connection: psycopg.Connection[Any], table: str, rows: Iterable[list[Any]], columns: Iterable[str]) -> None:
    statement = SQL("copy {} ({}) from stdin").format(
        Identifier(table), SQL(", ").join(Identifier(column) for column in columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
