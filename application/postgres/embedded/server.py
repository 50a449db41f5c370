"""Starting one server process on a cluster, with the settings an embedded server wants."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from application.postgres.embedded.binaries import Binaries
from application.postgres.embedded.cluster import clean_environment
from application.postgres.embedded.home import PORT, Home, make_private
from application.postgres.embedded.locks import FileLock
from application.postgres.embedded.os_user import OsUser

_LARGEST_LOG = 10 * 1024 * 1024
_BURIAL_SECONDS = 5.0
_SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "wal_level": "replica",
    "max_wal_size": "1GB",
    "log_min_messages": "log",  # errors of statements repeat what was sent; the service logs their kinds itself
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class ServerProcess:
    """A postgres that is our child, reached through a Unix socket only its user may enter, never by TCP.

    It inherits the server lock, as all it forks do, and a session of its own, so that a terminal's Ctrl-C
    is no business of it.
    """

    def __init__(
        self,
        home: Home,
        binaries: Binaries,
        user: OsUser,
        lock: FileLock,
        settings: Mapping[str, str],
    ) -> None:
        make_private(home.sockets, user)
        _turn_over(home.log)
        with home.log.open("ab") as log:
            self._log, self._said_before = home.log, log.tell()
            self._process = subprocess.Popen(
                [str(binaries.postgres), "-D", str(home.data), *_arguments(home, binaries.major, settings)],
                cwd="/",
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(lock.fd,),
                **user.run_as(),
            )

    def ended(self) -> bool:
        return self._process.poll() is not None

    def bury(self) -> None:
        """Wait for a server that is ending, so that it does not stay as a zombie."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_BURIAL_SECONDS)

    def last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._said_before)
            lines = log.read().decode(errors="replace").splitlines()
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line]
        return (telling or lines or ["it said nothing"])[-1]


def _arguments(home: Home, major: int, settings: Mapping[str, str]) -> list[str]:
    chosen = {
        **_SETTINGS,
        **({"io_method": "sync"} if major >= 18 else {}),  # three processes less; no slower at this size
        **settings,
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(home.sockets),
        "unix_socket_permissions": "0700",
    }
    return [f"--{name}={value}" for name, value in chosen.items()]


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.rename(log.with_name("log.old"))
