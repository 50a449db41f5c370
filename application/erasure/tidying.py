"""Dead rows and the planner's samples still hold what an erasure took away, until the tables are vacuumed."""

import logging

import psycopg
from psycopg.sql import SQL, Identifier

from application.postgres.migrations import SCHEMA

log = logging.getLogger(__name__)

TABLES = (
    "activity_list",
    "activity_search",
    "word_totals",
    "word_keys",
    "directory",
    "idempotency",
    "data_keys",
    "parked",
)


def tidy(dsn: str) -> bool:
    """Vacuum and analyse the tables an erasure touches; False where that has to wait for the autovacuum."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            for table in TABLES:
                statement = SQL("vacuum (analyze, truncate false) {}.{}")
                connection.execute(statement.format(Identifier(SCHEMA), Identifier(table)))
    except psycopg.Error as error:
        log.warning("after an erasure the tables were not vacuumed: %s", type(error).__name__)
        return False
    return True
