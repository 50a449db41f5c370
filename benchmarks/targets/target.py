"""One thing to be measured: its own PostgreSQL, its processes, and where to ask it."""

import http.client
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Self
from uuid import UUID

import psycopg

from api.http.tokens import issue
from application.postgres.embedded import EmbeddedPostgres
from benchmarks.data.sample import Sample, Sampled
from benchmarks.targets.crew import Crew
from benchmarks.targets.processor_time import processor_seconds
from domain.api_key.scopes import DEFAULT_SCOPES

SECRET = "the secret of the benchmarks, long enough"  # noqa: S105, of throw-away databases
SURFACE = "/api/v1/crm"
_SETTINGS = {"max_connections": "120"}
_START_SECONDS = 60.0


class Target(ABC):
    """Use as a context: filled and serving inside it."""

    name: ClassVar[str]
    has_database: ClassVar[bool] = True

    def __init__(self, folder: Path, samples: list[Sample]) -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # PostgreSQL runs as another user than root
        self.folder, self.samples = folder, samples
        self.loading_seconds = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.crew = Crew(self.folder)
            stack.callback(self.crew.close)
            self.door = stack.enter_context(Door())
            if self.has_database:
                self.server = EmbeddedPostgres(self.folder, settings=_SETTINGS)
                stack.enter_context(self.server)
            began = time.monotonic()
            self._prepare()
            self.loading_seconds = time.monotonic() - began
            self._start()
            self.await_ready(self.door)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def dsn(self) -> str:
        return self.server.dsn()

    @property
    def main(self) -> Sample:
        """The organisation that is measured."""
        return self.samples[0]

    @abstractmethod
    def _prepare(self) -> None:
        """Make the tables and fill them."""

    @abstractmethod
    def _start(self) -> None:
        """Start the processes that serve at the door."""

    def id_of(self, key: UUID) -> str:
        """An activity's id as this target shows it."""
        return str(key)

    def add(self, more: Iterable[Sampled]) -> None:
        """Put more activities into the main organisation, quickly."""
        raise NotImplementedError(self.name)

    def recorded(self) -> int:
        """How many changes it has on record, ever."""
        return 0

    def settle(self) -> int:
        """Wait until all that was written is visible everywhere; how many events had to be waited for."""
        return 0

    def rest(self) -> None:
        """Leave no work behind that would fall into the next measurement."""
        self.crew.check()
        self.settle()
        if self.has_database:
            with psycopg.connect(self.dsn, autocommit=True) as connection:
                connection.execute("checkpoint")

    def processor_seconds(self) -> dict[str, float]:
        """What its processes and its database have used so far."""
        database = {"database": pid} if self.has_database and (pid := self.server.pid) else {}
        return processor_seconds({**self.crew.pids(), **database})

    def token(self, user: str = "user-1") -> str:
        who = {"organization": self.main.organization, "user": user}
        return issue(SECRET, **who, scopes=DEFAULT_SCOPES, ttl=86_400, now=time.time())

    def await_ready(self, door: "Door") -> None:
        patience = self.crew.within(_START_SECONDS, f"{self.name} does not answer")
        while not door.answers(self.ready_path) and patience.left():
            pass

    @property
    def ready_path(self) -> str:
        return f"{SURFACE}/activities/none"


class Door:
    """A listening socket for the processes to inherit."""

    def __enter__(self) -> Self:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port = int(self.listener.getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, path: str) -> bool:
        """Whether anybody serves here; a refusal for want of a token will do."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
