"""The database a serve works on: the operator's own, or the embedded one of the data directory."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import psycopg

from api.serving.errors import CannotServe
from api.serving.upgrading import Telling, logged, seal_what_is_in_plain
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.errors import EmbeddedPostgresError
from application.postgres.migrations import migrate
from application.settings import Settings

log = logging.getLogger(__name__)

_OLDEST = 15
_CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Database:
    """`keep` brings it back, should it have gone and be ours to bring back."""

    dsn: str
    keep: Callable[[], None]


@contextmanager
def database_of(settings: Settings, telling: Telling = logged) -> Iterator[Database]:
    """A migrated database for the length of a block. Raises CannotServe."""
    try:
        if settings.database_url:
            bring_up_to_date(settings, settings.database_url, telling)
            yield Database(settings.database_url, keep=lambda: None)
        else:
            with EmbeddedPostgres(settings.data_dir, bin_dir=settings.pg_bin_dir) as server:
                bring_up_to_date(settings, server.dsn(), telling)
                yield Database(server.dsn(), keep=lambda: _revive(server))
    except EmbeddedPostgresError as error:
        raise CannotServe(str(error)) from error


@contextmanager
def unmigrated(settings: Settings) -> Iterator[str]:
    """The DSN of the same database, left as it is found. Raises CannotServe."""
    try:
        if settings.database_url:
            _refuse_unreachable(settings.database_url)
            yield settings.database_url
        else:
            with EmbeddedPostgres(settings.data_dir, bin_dir=settings.pg_bin_dir) as server:
                yield server.dsn()
    except EmbeddedPostgresError as error:
        raise CannotServe(str(error)) from error


def _revive(server: EmbeddedPostgres) -> None:
    if not server.alive():
        log.warning("PostgreSQL died: starting it again")
        server.start()


def bring_up_to_date(settings: Settings, dsn: str, telling: Telling) -> None:
    """Migrate, and seal what earlier releases stored in plain. Raises CannotServe."""
    _refuse_unreachable(dsn)
    try:
        migrate(dsn, then=partial(seal_what_is_in_plain, settings, telling))
    except psycopg.Error as error:
        raise CannotServe(f"migrating the database failed: {_one_line(error)}") from error


def _refuse_unreachable(dsn: str) -> None:
    try:
        with psycopg.connect(dsn, connect_timeout=_CONNECT_SECONDS) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        raise CannotServe(f"database unreachable: {_one_line(error)}") from error
    if version < _OLDEST:
        raise CannotServe(f"the database is PostgreSQL {version}, too old: {_OLDEST} is the oldest to do")


def _one_line(error: Exception) -> str:
    return " / ".join(line.strip() for line in str(error).splitlines() if line.strip())
