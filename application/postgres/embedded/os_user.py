"""Who PostgreSQL runs as: ourselves, or, as it refuses to be root, an unprivileged user of this machine."""

import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from application.postgres.embedded.errors import UnusableData


class RunAs(TypedDict, total=False):
    """Arguments for subprocess that drop to the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class OsUser:
    name: str
    uid: int
    gid: int

    @property
    def is_me(self) -> bool:
        return self.uid == os.geteuid()

    def run_as(self) -> RunAs:
        return {} if self.is_me else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, path: Path) -> bool:
        """Whether the user may pass through a directory, or run a file."""
        found = path.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)

    def barriers_to(self, path: Path) -> list[Path]:
        """The path and the parents of it that are closed to this user; empty: it can be reached."""
        return [] if self.is_me else [p for p in (path, *path.parents) if not self.may_enter(p)]


def postgres_user(cluster: Path) -> OsUser:
    """Whoever owns an existing cluster, as PostgreSQL insists on that; else the one to make it.

    Raises UnusableData when we are root and there is nobody to drop to.
    """
    if os.geteuid() != 0:
        return _named(os.geteuid(), os.getegid())
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return _named(owner.st_uid, owner.st_gid)
    wanted = os.environ.get("ACTIVITIES_PG_OS_USER")
    for name in (wanted,) if wanted else ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return OsUser(name, found.pw_uid, found.pw_gid)
    raise UnusableData("root needs an unprivileged user for PostgreSQL: name one in ACTIVITIES_PG_OS_USER")


def _named(uid: int, gid: int) -> OsUser:
    try:
        return OsUser(pwd.getpwuid(uid).pw_name, uid, gid)
    except KeyError:
        return OsUser(f"user {uid}", uid, gid)
