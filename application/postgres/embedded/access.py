"""How a started server is reached, and whether it can be."""

from contextlib import suppress
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from application.postgres.embedded.home import PORT, Home

DATABASE = "activities"


def dsn_of(home: Home, dbname: str, user: str) -> str:
    where = urlencode({"host": home.sockets, "port": PORT}, quote_via=quote, safe="")
    return f"postgresql://{quote(user, safe='')}@/{quote(dbname, safe='')}?{where}"


def answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def make_database(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,))
        if known.fetchone() is None:
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
