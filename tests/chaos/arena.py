"""The service under chaos: a whole `activities serve` on a data directory and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx
from process_tree import command_lines, descendants

from api.http.tokens import DEFAULT_SCOPES, issue
from application.postgres.embedded.access import DATABASE, dsn_of
from application.postgres.embedded.os_user import postgres_user
from application.postgres.embedded.settling import settle
from chaos.line import Line

ORGANIZATION = "chaos"
PATIENCE = 60.0
_SECRET = "a secret of the chaos suite, long enough for HS256"
_TESTS = Path(__file__).parents[1]


class Arena:
    """`planted` names defects (chaos.planted) to serve with; none: the very program users start.

    `url` is a database to serve; none: the embedded one of the folder.
    """

    def __init__(self, folder: Path, *, planted: Sequence[str] = (), url: str | None = None, workers: int = 2) -> None:
        self.folder, self.planted, self._url, self._workers = folder, planted, url, workers
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.clock = folder / "clock"
        self.clock.write_text("0")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    @property
    def dsn(self) -> str:
        """The database as its administrator sees it."""
        if self._url is not None:
            return self._url
        return dsn_of(settle(self.folder, postgres_user(self.folder / "postgres" / "data")), DATABASE, "postgres")

    def line(self, user: str, *, keep_alive: bool = True) -> Line:
        token = issue(_SECRET, organization=ORGANIZATION, user=user, scopes=DEFAULT_SCOPES, ttl=86_400, now=time.time())
        return Line(self.port, token, keep_alive=keep_alive)

    def start(self) -> None:
        """Come back once it is ready."""
        program = ("chaos.planted.serve",) if self.planted else ("api.cli",)
        arguments = ("serve", "--port", str(self.port), "--workers", str(self._workers), "--data-dir", self.folder)
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *program, *map(str, arguments)],
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.await_ready()

    def _environment(self) -> Mapping[str, str]:
        return {
            "PYTHONPATH": f"{_TESTS.parent}:{_TESTS}",
            "ACTIVITIES_JWT_SECRET": _SECRET,
            "ACTIVITIES_RATE_LIMIT": "off",
            "CHAOS_PLANTED": " ".join(self.planted),
            "CHAOS_CLOCK": str(self.clock),
            **({"ACTIVITIES_DATABASE_URL": self._url} if self._url else {}),
        }

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def await_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.ready():
            if (code := self._process.poll()) is not None:
                raise AssertionError(f"serve ended with {code}: {self.said()}")
            assert time.monotonic() < deadline, f"not ready within {PATIENCE} s: {self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-4000:]

    def members(self, what: str) -> list[int]:
        """The processes below serve whose command line says so; one that has just died is waited for."""
        deadline = time.monotonic() + PATIENCE
        while not (found := [pid for pid, line in descendants(self._process.pid) if what in line]):
            assert time.monotonic() < deadline, f"no {what} within {PATIENCE} s: {self.said()}"
            time.sleep(0.05)
        return found

    def postmaster(self) -> int:
        return min(self.members(f"-D {self._cluster}"))  # a child it has just forked still goes by its name

    @property
    def _cluster(self) -> Path:
        return settle(self.folder, postgres_user(self.folder / "postgres" / "data")).data

    def kill_everything(self) -> None:
        """As if the power had failed for every process at once; PostgreSQL and what watches over it, too."""
        family = [self._process.pid, *(pid for pid, _ in descendants(self._process.pid))]
        backends = [pid for pid, line in command_lines() if f"-D {self._cluster}" in line]
        for pid in {*family, *backends}:
            kill(pid)
        self._process.wait()

    def kill_parent(self) -> None:
        """Its children follow it; come back once they have."""
        family = [pid for pid, _ in descendants(self._process.pid)]
        kill(self._process.pid)
        self._process.wait()
        deadline = time.monotonic() + PATIENCE
        while {pid for pid, _ in command_lines()} & {*family}:
            assert time.monotonic() < deadline, "the family outlived its parent"
            time.sleep(0.05)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
