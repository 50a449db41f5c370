"""What can be exported besides activities: any view of the schema analytics, any read table."""

from typing import Any

from psycopg import Connection
from psycopg.sql import Identifier

from application.postgres.migrations import SCHEMA as TABLES
from projections.analytics.dictionary import SCHEMA as VIEWS
from projections.read_models import READ_MODELS

_VIEWS = "select relname from pg_class where relnamespace = to_regnamespace(%s) and relkind = 'v' order by relname"


class UnknownTable(Exception):
    """Neither a view nor a read table has this name; says which there are."""


def table_named(connection: Connection[Any], of: str) -> Identifier:
    """A view comes before a read table of the same name; `activities.NAME` is the table. Raises UnknownTable.

    Ends the connection's transaction: the snapshot is to be taken later.
    """
    views = {f"{VIEWS}.{name}" for (name,) in connection.execute(_VIEWS, (VIEWS,))}
    tables = {f"{TABLES}.{name}" for name in READ_MODELS}
    connection.rollback()
    for name in (of, f"{VIEWS}.{of}", f"{TABLES}.{of}"):
        if name in views | tables:
            return Identifier(*name.split("."))
    raise UnknownTable(f"there is no {of}; there are {', '.join(sorted(views | tables))}")
