"""A database whose owner is no superuser: row-level security holds for them, too."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import ANALYST, ROLES, migrate


@contextmanager
def ordinary_owner(server: EmbeddedPostgres, *, may_create_roles: bool) -> Iterator[str]:
    """The DSN of a migrated database whose owner is no superuser."""
    name = f"ordinary_{uuid4().hex}"
    me, database = sql.Identifier(name), sql.Identifier(name)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        power = sql.SQL("createrole" if may_create_roles else "nocreaterole")
        admin.execute(sql.SQL("create role {} login {}").format(me, power))
        newer = admin.info.server_version >= 160000
        for role in (*ROLES, *([ANALYST] if may_create_roles and newer else [])):
            how = "admin true, inherit false" if newer else "admin option"
            admin.execute(sql.SQL("grant {} to {} with {}").format(sql.Identifier(role), me, sql.SQL(how)))
        admin.execute(sql.SQL("create database {} owner {}").format(database, me))
        try:
            dsn = make_conninfo(server.dsn(name), user=name)
            migrate(dsn)
            yield dsn
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(database))
            admin.execute(sql.SQL("drop owned by {}").format(me))
            admin.execute(sql.SQL("drop role {}").format(me))
