"""What an embedded server consists of on disk: everything of it lies below DATA_DIR/postgres."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from application.postgres.embedded.errors import UnusableData
from application.postgres.embedded.os_user import OsUser

PORT = 5432  # only ever part of the socket's name
_LONGEST_SOCKET = 100  # sun_path takes 103 bytes on macOS, 107 on Linux


@dataclass(frozen=True)
class Home:
    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that looks, makes, starts or stops."""
        return self.path / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by all who use the server; whoever can have it alone is the last."""
        return self.path / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Inherited by every process that works on the data: while it is held, one of them lives."""
        return self.path / "server.lock"

    @property
    def sockets(self) -> Path:
        """Not the data directory: a base backup would copy the socket's lock file."""
        beside = self.path / "run"
        if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET:
            return beside
        return Path("/tmp") / f"activities-{digest_of(self.path)}"  # make_private checks whose it is  # noqa: S108  # nosec B108


def make_private(directory: Path, user: OsUser) -> None:
    """Make a directory for the user alone. Raises UnusableData when somebody else has taken its name."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (user.uid, os.geteuid()):
        raise UnusableData(f"{directory} belongs to somebody else")
    if not user.is_me:
        os.chown(directory, user.uid, user.gid)
    directory.chmod(0o700)


def digest_of(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
