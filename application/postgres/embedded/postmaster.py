"""The server process, seen from outside: is it there, in which state, and how to stop it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from application.postgres.embedded.home import PORT, Home
from application.postgres.embedded.locks import is_held
from application.postgres.embedded.waiting import wait_until

_PROC = Path("/proc")
_STATUS_LINE = 7
_FAST_SECONDS, _IMMEDIATE_SECONDS = 20.0, 10.0


@dataclass(frozen=True)
class Postmaster:
    pid: int
    status: str  # starting, ready, standby or stopping

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def postmaster(home: Home) -> Postmaster | None:
    """The live postmaster of this home. A zombie, or another process that got its number, is none."""
    try:
        lines = (home.data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _serves(pid, home.data):
        return None
    return Postmaster(pid, lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else "starting")


def stop_server(home: Home, patience: float = 0.0) -> bool:
    """Stop the server: let its clients finish for `patience` seconds, then end them, then pull the plug.

    The caller holds the start lock. Whether it is gone.
    """
    if postmaster(home) is None:
        kill_stragglers(home)
    steps = (
        (signal.SIGTERM, patience),
        (signal.SIGINT, _FAST_SECONDS),
        (signal.SIGQUIT, _IMMEDIATE_SECONDS),
    )
    return any(_ends(home, number, seconds) for number, seconds in steps if seconds)


def clear_remains(home: Home) -> None:
    """Remove the lock files of a server that was killed. The caller holds the server lock, so none lives.

    PostgreSQL does so itself, unless the number in it belongs to some process again, or to a zombie.
    """
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    (home.sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def kill_stragglers(home: Home) -> None:
    """End backends that outlive their killed postmaster; until they are gone no new server may start."""
    for pid in _working_in(home.data):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _ends(home: Home, number: signal.Signals, seconds: float) -> bool:
    told: set[int] = set()

    def gone() -> bool:
        server = postmaster(home)
        if server and server.pid not in told:
            server.signal(number)
            told.add(server.pid)
        return not is_held(home.server_lock)

    return wait_until(gone, seconds)


def _serves(pid: int, data: Path) -> bool:
    """Root in a container may not see where another user works: then by the command it was started with."""
    return _directory_of(pid) == data or f"/postgres -D {data} " in _command_of(pid)


def _working_in(directory: Path) -> Iterator[int]:
    for process in _PROC.glob("[0-9]*"):
        pid = int(process.name)
        with suppress(OSError):
            if _directory_of(pid) == directory and (process / "comm").read_text() == "postgres\n":
                yield pid


def _directory_of(pid: int) -> Path | None:
    try:
        return (_PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None


def _command_of(pid: int) -> str:
    """The program and its arguments, each followed by a space; empty for a zombie and for no process."""
    try:
        if (_PROC / "self").exists():
            return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        ask = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(ask, capture_output=True, text=True, timeout=5).stdout.strip() + " "
    except (OSError, subprocess.SubprocessError):
        return ""
