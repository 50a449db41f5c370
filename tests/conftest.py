"""The database every test may have: one embedded server a run, shared by all workers; a fresh copy a test."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.locks import held
from application.postgres.migrations import migrate

os.environ["ACTIVITIES_ENCRYPTION_KEY"] = "a master key of the tests"
"""Every process of the tests opens what any other has sealed."""

SETTINGS = {"full_page_writes": "off", "max_connections": "300"}
TEMPLATE = "template"
PATIENCE = 90.0


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock the workers of a run have in common, for what only one of them does."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "activities.lock"


@pytest.fixture(scope="session")
def server(door: Path) -> Iterator[EmbeddedPostgres]:
    """Not below pytest's own folder: root's is closed to the user PostgreSQL runs as."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex)
    folder = Path(tempfile.gettempdir()) / f"activities-tests-{run}"
    binaries = os.environ.get("ACTIVITIES_PG_BIN_DIR")
    server = EmbeddedPostgres(folder, bin_dir=Path(binaries) if binaries else None, settings=SETTINGS, fsync=False)
    with held(door, PATIENCE):
        server.start()
    yield server
    with held(door, PATIENCE):
        if server.stop():
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template(server: EmbeddedPostgres, door: Path) -> str:
    """A migrated database to copy. It takes its name when done: nobody copies a half-made one."""
    with held(door, PATIENCE), _administrator(server) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,))
        if known.fetchone() is None:
            connection.execute("drop database if exists draft with (force)")
            connection.execute("create database draft")
            migrate(server.dsn("draft"))
            connection.execute(f"alter database draft rename to {TEMPLATE}")
    return TEMPLATE


@pytest.fixture
def database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The DSN of a migrated database of the test's own."""
    with _copy_of(template, server) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The DSN of a migrated database the tests of a module share."""
    with _copy_of(template, server) as dsn:
        yield dsn


@pytest.fixture
def empty_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of a database nothing was ever done to."""
    with _copy_of("template0", server) as dsn:
        yield dsn


@contextmanager
def _copy_of(template: str, server: EmbeddedPostgres) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with _administrator(server) as connection:
        connection.execute(f"create database {name} template {template}")
        try:
            yield server.dsn(name)
        finally:
            connection.execute(f"drop database {name} with (force)")


def _administrator(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(server.dsn("postgres"), autocommit=True, connect_timeout=10)
