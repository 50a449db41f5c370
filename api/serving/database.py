"""The database a serve works on: the operator's own, or the embedded one of the data directory."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection

from api.serving.errors import CannotServe
from application.event_store import keyring
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.errors import EmbeddedPostgresError
from application.postgres.migrations import migrate
from application.sealing_the_past.walking import seal_the_past
from application.settings import Settings

log = logging.getLogger(__name__)

_OLDEST = 15
_CONNECT_SECONDS = 10
_TELL_EVERY = 2.0
_SEALING = "sealing what earlier releases stored in plain"

Telling = Callable[[str], AbstractContextManager[Callable[[int], None]]]
"""How progress is told: of what, and then of so many events more."""


@dataclass(frozen=True)
class Database:
    """`keep` brings it back, should it have gone and be ours to bring back."""

    dsn: str
    keep: Callable[[], None]


@contextmanager
def logged(what: str) -> Iterator[Callable[[int], None]]:
    """Progress in the log."""
    count, said = 0, time.monotonic()

    def told(more: int) -> None:
        nonlocal count, said
        count += more
        if time.monotonic() - said > _TELL_EVERY:
            said = time.monotonic()
            log.info("%s: %s events", what, count)

    yield told


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
        migrate(dsn, then=partial(_seal_the_past, settings, telling))
    except psycopg.Error as error:
        raise CannotServe(f"migrating the database failed: {_one_line(error)}") from error


def _seal_the_past(settings: Settings, telling: Telling, connection: Connection[Any]) -> None:
    @contextmanager
    def sealing() -> Iterator[Callable[[int], None]]:
        _refuse_fleeting_key(settings)
        with telling(_SEALING) as told:
            yield told

    try:
        done = seal_the_past(connection, sealing)
    except keyring.WrongMasterKey as error:
        raise CannotServe(str(error)) from error
    if done.facts:
        log.info("sealed %s events that earlier releases stored in plain", done.facts)
    if done.left:
        log.warning("%s streams could not be read: what they say stays in plain", len(done.left))


def _refuse_fleeting_key(settings: Settings) -> None:
    """What was readable so far must not come to hang upon a key that is gone with this machine."""
    keyring.use(settings)
    if not settings.keeps_encryption_secret():
        raise CannotServe(
            "what earlier releases stored in plain is to be sealed, under a master key that must be kept:"
            " set ACTIVITIES_ENCRYPTION_KEY or ACTIVITIES_ENCRYPTION_KEY_FILE, or give it the data directory it had"
        )
    try:
        settings.encryption_secret()
    except OSError as error:
        raise CannotServe(f"{error.filename or settings.data_dir}: {error.strerror or error}") from error
    except ValueError as error:
        raise CannotServe(str(error)) from error


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
