"""A primary and its synchronous standby: streaming replication by PostgreSQL's own means."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.binaries import find_binaries, reachable
from application.postgres.embedded.os_user import postgres_user
from application.postgres.embedded.settling import settle
from chaos.arena import PATIENCE, Arena

_APPLICATION = "standby"


@dataclass(slots=True)
class Pair:
    primary: EmbeddedPostgres
    standby: EmbeddedPostgres

    @property
    def url(self) -> str:
        """Whichever of the two is the primary, as an operator would name them.

        Not `read-write`: readers connect for reading only, and libpq would take their own wish for the server's.
        """
        sockets = ",".join(quote(_socket(server), safe="") for server in (self.primary, self.standby))
        return f"postgresql://postgres@/activities?host={sockets}&port=5432&target_session_attrs=primary"

    def fail_over(self, arena: Arena, chance: Random) -> None:
        """The primary dies; its standby is promoted and takes its place."""
        pid = self.primary.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with psycopg.connect(self.standby.dsn("postgres"), autocommit=True) as connection:
            connection.execute("select pg_promote(true, 30)")


@contextmanager
def replicated(folder: Path) -> Iterator[Pair]:
    """A pair in which no commit is acknowledged that the standby does not have."""
    primary = EmbeddedPostgres(folder / "primary")
    with primary:
        standby = EmbeddedPostgres(folder / "standby")
        _copy(primary, folder / "standby")
        with standby:
            with psycopg.connect(primary.dsn("postgres"), autocommit=True) as connection:
                connection.execute(f"alter system set synchronous_standby_names = '{_APPLICATION}'")
                connection.execute("select pg_reload_conf()")
                _await_synchronous(connection)
            yield Pair(primary, standby)


def _copy(primary: EmbeddedPostgres, folder: Path) -> None:
    """A base backup where the standby's own data would be, set to follow the primary."""
    folder.mkdir()
    user = postgres_user(folder / "postgres" / "data")
    home = settle(folder, user)
    shutil.chown(home.path, user.uid, user.gid) if not user.is_me else None
    follow = f"{primary.dsn('postgres')}&application_name={_APPLICATION}"
    subprocess.run(
        [
            reachable(find_binaries(), user).directory / "pg_basebackup",
            *("--pgdata", home.data, "--dbname", follow, "--write-recovery-conf", "--checkpoint", "fast"),
        ],
        check=True,
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        **user.run_as(),
    )


def _await_synchronous(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + PATIENCE
    while connection.execute("select sync_state from pg_stat_replication").fetchone() != ("sync",):
        assert time.monotonic() < deadline, "the standby does not follow"
        with suppress(psycopg.OperationalError):
            time.sleep(0.05)


def _socket(server: EmbeddedPostgres) -> str:
    return parse_qs(urlsplit(server.dsn()).query)["host"][0]
