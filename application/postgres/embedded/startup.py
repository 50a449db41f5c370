"""One attempt to have a server that answers, whatever the last one left behind."""

import signal
import time
from collections.abc import Mapping

from application.postgres.embedded.access import answers
from application.postgres.embedded.binaries import Binaries
from application.postgres.embedded.cluster import make_cluster
from application.postgres.embedded.errors import DidNotStart
from application.postgres.embedded.home import Home
from application.postgres.embedded.locks import FileLock, is_held
from application.postgres.embedded.os_user import OsUser
from application.postgres.embedded.postmaster import clear_remains, kill_stragglers, postmaster
from application.postgres.embedded.server import ServerProcess
from application.postgres.embedded.users import START_SECONDS
from application.postgres.embedded.waiting import wait_until

_STRAGGLING_SECONDS = 2.0


class Startup:
    """The caller holds the start lock. `server` is the process, should this attempt have started one."""

    def __init__(self, home: Home, binaries: Binaries, user: OsUser, settings: Mapping[str, str]) -> None:
        self._home, self._binaries, self._user, self._settings = home, binaries, user, settings
        self._began = time.monotonic()
        self.server: ServerProcess | None = None

    def until_it_answers(self, dsn: str) -> None:
        """Raises DidNotStart with the server's own last words, if it had any."""
        self._refuse_strangers()
        if not wait_until(lambda: self._advance() and answers(dsn), START_SECONDS):
            raise DidNotStart(f"PostgreSQL did not answer within {START_SECONDS:g} s; see {self._home.log}")

    def _refuse_strangers(self) -> None:
        """A server that does not hold our lock was started by hand, with settings of its own."""
        home = self._home
        if not wait_until(lambda: postmaster(home) is None or is_held(home.server_lock), 1):
            raise DidNotStart(f"a PostgreSQL that was started by hand runs on {home.data}: stop it first")

    def _advance(self) -> bool:
        """Do what the present state asks for; whether the server takes connections."""
        found = postmaster(self._home)
        if found is None:
            self._without_postmaster()
        elif found.status == "stopping":  # whatever it is waiting for, the way up leads through its end
            found.signal(signal.SIGINT)
        return found is not None and found.status in ("ready", "standby")

    def _without_postmaster(self) -> None:
        if self.server and self.server.ended():
            raise DidNotStart(f"PostgreSQL ended: {self.server.last_words()}")
        lock = FileLock.on(self._home.server_lock)
        try:
            if lock.try_exclusive():
                self._spawn(lock)
            elif not self.server and time.monotonic() - self._began > _STRAGGLING_SECONDS:
                kill_stragglers(self._home)
        finally:
            lock.close()

    def _spawn(self, lock: FileLock) -> None:
        make_cluster(self._home, self._binaries, self._user, lock, durable=self._settings.get("fsync") != "off")
        clear_remains(self._home)
        self.server = ServerProcess(self._home, self._binaries, self._user, lock, self._settings)
