"""Where the home of a data directory is to be, so that the user PostgreSQL runs as can reach it."""

import os
import stat
import time
from pathlib import Path

from application.postgres.embedded.errors import UnusableData
from application.postgres.embedded.home import Home, digest_of
from application.postgres.embedded.locks import held
from application.postgres.embedded.os_user import OsUser

ELSEWHERE = Path("/var/lib/activities/clusters")


def settle(data_dir: Path, user: OsUser) -> Home:
    """Find the home that belongs to a data directory, or make it, where `user` can reach it.

    Opens nothing but the data directory itself. When a parent is closed to the user, the home is made below
    ELSEWHERE and a link is left in its place. Raises UnusableData.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        home = _place(data_dir.resolve(), user).resolve()
    except OSError as error:
        raise UnusableData(f"data directory {data_dir}: {error.strerror or error}") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise UnusableData(f"data directory {data_dir}: {home} is not ours to write")
    return Home(home)


def _place(data_dir: Path, user: OsUser) -> Path:
    home = data_dir / "postgres"
    if home.is_symlink():
        return _linked(home)
    if user.barriers_to(data_dir) == [data_dir]:
        _open_if_ours(data_dir, user)
    if not user.barriers_to(data_dir):
        home.mkdir(mode=0o700, exist_ok=True)
        _open_if_ours(home, user)
    if not home.exists():
        return _elsewhere(data_dir, home, user)
    if barriers := user.barriers_to(home):
        raise UnusableData(f"data directory {data_dir}: {barriers[-1]} is closed to {user.name}")
    return home


def _linked(home: Path) -> Path:
    """Follow the link. Never start empty where data used to be."""
    if not home.exists():
        raise UnusableData(f"{home} leads to {home.readlink()}, which is gone: restore it or remove the link")
    return home


def _open_if_ours(directory: Path, user: OsUser) -> None:
    found = directory.stat()
    if not user.may_enter(directory) and found.st_uid == os.geteuid():
        directory.chmod(stat.S_IMODE(found.st_mode) | 0o011)


def _elsewhere(data_dir: Path, home: Path, user: OsUser) -> Path:
    place = ELSEWHERE / digest_of(data_dir)
    with held(data_dir, 10):
        if home.is_symlink():
            return _linked(home)
        if place.exists():  # of a data directory of this name that was deleted: not this one's data
            place.rename(place.with_name(f"{place.name}.{time.time_ns()}"))
        place.mkdir(mode=0o711, parents=True)
        for directory in (ELSEWHERE.parent, ELSEWHERE, place):
            _open_if_ours(directory, user)
        if barriers := user.barriers_to(place):
            raise UnusableData(f"data directory {data_dir}: {barriers[-1]} is closed to {user.name}")
        home.symlink_to(place)
    return place
