"""The life cycle of an embedded PostgreSQL: one data directory, one server, any number of users."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import psycopg

from application.postgres.embedded.access import DATABASE, dsn_of, make_database
from application.postgres.embedded.binaries import find_binaries, reachable
from application.postgres.embedded.cluster import refuse_other_major
from application.postgres.embedded.errors import DidNotStart
from application.postgres.embedded.home import Home
from application.postgres.embedded.locks import FileLock, held
from application.postgres.embedded.os_user import postgres_user
from application.postgres.embedded.postmaster import postmaster
from application.postgres.embedded.server import ServerProcess
from application.postgres.embedded.settling import settle
from application.postgres.embedded.startup import Startup
from application.postgres.embedded.users import START_SECONDS, leave
from application.postgres.embedded.waiting import wait_until
from application.postgres.embedded.warden import Warden


class EmbeddedPostgres:
    """A share in the server of a data directory.

    The first to start makes the cluster and the server, the others join them; the last to stop stops the
    server. A user that is killed leaves through its warden. Not for several threads at once.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] = {},
        fsync: bool = True,
    ) -> None:
        self._data_dir, self._bin_dir = data_dir, bin_dir
        self._settings = {"fsync": "on" if fsync else "off", **settings}
        self._home: Home | None = None
        self._users: FileLock | None = None
        self._warden: Warden | None = None
        self._server: ServerProcess | None = None

    def start(self) -> Self:
        """Come back once the server has answered. To be called again should the server have died.

        Raises NoBinaries, UnusableData, OtherMajor or DidNotStart.
        """
        with _saying_why(self._data_dir), ExitStack() as undo:
            undo.callback(self.stop)
            self._enter()
            undo.pop_all()
        return self

    def stop(self) -> bool:
        """Leave; the last user stops the server. True: that was us."""
        if self._home is None or self._users is None:
            return False
        users, self._users = self._users, None
        try:
            last = leave(self._home, users)
        finally:
            if self._warden:
                self._warden.dismiss()
        if last and self._server:
            self._server.bury()
        return last

    def alive(self) -> bool:
        """Whether the server process is there; cheap enough to ask many times a second."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server process, whoever started it."""
        server = postmaster(self._home) if self._home else None
        return server.pid if server else None

    def dsn(self, dbname: str = DATABASE, user: str = "postgres") -> str:
        """A URL for libpq and all that speak like it. Known once started."""
        if self._home is None:
            raise RuntimeError("not started")
        return dsn_of(self._home, dbname, user)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _enter(self) -> None:
        user = postgres_user(self._data_dir / "postgres" / "data")
        self._home = home = settle(self._data_dir, user)
        binaries = find_binaries(self._bin_dir)
        refuse_other_major(home, binaries)
        with held(home.start_lock, START_SECONDS):
            self._join(home)
            startup = Startup(home, reachable(binaries, user), user, self._settings)
            startup.until_it_answers(self.dsn("postgres"))
            self._server = startup.server
            make_database(self.dsn("postgres"))

    def _join(self, home: Home) -> None:
        if self._users is None:
            self._users = FileLock.on(home.users_lock)
        if not wait_until(self._users.try_shared, START_SECONDS):
            raise DidNotStart(f"{home.users_lock} is kept by a process that is leaving and does not end")
        if self._warden is None or not self._warden.on_duty():
            self._warden = Warden(home, self._users)


@contextmanager
def _saying_why(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.SubprocessError, psycopg.Error) as error:
        raise DidNotStart(f"PostgreSQL of {data_dir}: {error}") from error
