"""The data dictionary: every view and column of the schema analytics, in the words of its comments, as Markdown."""

from collections.abc import Iterator
from itertools import groupby

import psycopg

from application.postgres.connections import Role, conninfo

SCHEMA = "analytics"

_COLUMNS = """
select c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod),
       col_description(c.oid, a.attnum)
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p', 'v', 'm', 'f')
 order by c.relname, a.attnum
"""
_ABOUT = "select obj_description(to_regnamespace(%s), 'pg_namespace')"
_SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float8"}


def dictionary(dsn: str) -> str:
    """The whole of it. What has no comment is missing one, and says so."""
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection:
        row = connection.execute(_ABOUT, (SCHEMA,)).fetchone()
        columns = connection.execute(_COLUMNS, (SCHEMA,)).fetchall()
    lines = [
        "# Data dictionary",
        "",
        "Written by `activities analytics dictionary` from the comments in the database; change them, not this file.",
        "",
        _said(row[0] if row else None) + ".",
    ]
    for (name, about), rows in groupby(columns, key=lambda column: column[:2]):
        lines += ["", f"## {SCHEMA}.{name}", "", _said(about) + ".", "", "| column | type | meaning |", "|---|---|---|"]
        lines += _table((column, type_, comment) for _, _, column, type_, comment in rows)
    return "\n".join(lines) + "\n"


def _table(columns: Iterator[tuple[str, str, str | None]]) -> Iterator[str]:
    for column, type_, comment in columns:
        yield f"| `{column}` | {_SHORT.get(type_, type_)} | {_said(comment)} |"


def _said(comment: str | None) -> str:
    return "(no comment)" if comment is None else comment.replace("|", r"\|")
