"""Working as the schema's owner on analysts' logins, and what it takes to be allowed to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from application.postgres.migrations import ANALYST, SCHEMA

_RIGHTS = """
select r.rolname, r.rolsuper or r.rolcreaterole,
       r.rolsuper or current_setting('server_version_num')::int < 160000
           or pg_has_role(%s, 'member with admin option'),
       has_database_privilege(%s, current_database(), 'connect'), current_database()
  from pg_roles r where r.rolname = current_user
"""


class CannotGrant(Exception):
    """The database does not let this operator make or unmake logins; says what is missing."""


@contextmanager
def owner_of(dsn: str, organization: str) -> Iterator[Connection[Any]]:
    """A transaction of the operator's own role, confined to the organisation."""
    with psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute(SQL("set local search_path = {}, public").format(Identifier(SCHEMA)))
        connection.execute("select set_config('activities.organization_id', %s, true)", (organization,))
        yield connection


def refuse_without_rights(connection: Connection[Any]) -> None:
    """Raises CannotGrant unless this operator may make logins for analysts, and they may connect."""
    row = connection.execute(_RIGHTS, (ANALYST, ANALYST)).fetchone()
    assert row is not None  # whoever is logged in is a role
    me, may_create, may_admit, may_connect, database = row
    if not may_create:
        raise CannotGrant(f"{me} may not make logins: a superuser does ALTER ROLE {me} CREATEROLE")
    if not may_admit:
        raise CannotGrant(
            f"{me} may not admit to {ANALYST}: a superuser does GRANT {ANALYST} TO {me} WITH ADMIN TRUE, INHERIT FALSE"
        )
    if not may_connect:
        raise CannotGrant(
            f"analysts may not connect: the database's owner does GRANT CONNECT ON DATABASE {database} TO {ANALYST}"
        )
