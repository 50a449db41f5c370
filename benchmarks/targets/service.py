"""The service itself: one API worker and one projector process."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from ulid import ULID

from application.postgres.migrations import migrate
from benchmarks.data.sample import Sampled
from benchmarks.targets.filling import append_activities, append_records
from benchmarks.targets.target import SECRET, Door, Target
from projections.read_models import READ_MODELS

_LEFT = """
select coalesce(max(h.position - coalesce(c.position, 0)), 0)
  from activities.heads h
 cross join unnest(%s::text[]) as model
  left join activities.cursors c on c.organization_id = h.organization_id and c.read_model = model
"""


class Service(Target):
    name = "service"

    @property
    def ready_path(self) -> str:
        return "/health/ready"

    def id_of(self, key: UUID) -> str:
        return str(ULID.from_uuid(key))

    def _prepare(self) -> None:
        migrate(self.dsn)
        self.start_projector()
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for sample in self.samples:
                append_records(connection, sample)
                append_activities(connection, sample.organization, sample.activities())
        self.settle()
        self.analyze()

    def analyze(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("vacuum (analyze)")

    def _start(self) -> None:
        self.start_worker("worker", self.door)

    def start_worker(self, name: str, door: Door) -> None:
        env = {"ACTIVITIES_LISTEN_FD": str(door.listener.fileno()), "ACTIVITIES_PORT": str(door.port)}
        self.crew.start(name, "api.worker", env={**self.environment, **env}, listener=door.listener)

    def start_projector(self) -> None:
        self.crew.start("projector", "projections", env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ACTIVITIES_DATABASE_URL": self.dsn,
            "ACTIVITIES_DATA_DIR": str(self.folder),
            "ACTIVITIES_JWT_SECRET": SECRET,
            "ACTIVITIES_RATE_LIMIT": "100000000/minute",
        }

    def add(self, more: Iterable[Sampled]) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            append_activities(connection, self.main.organization, more)

    def settle(self) -> int:
        first, deadline = None, time.monotonic() + 3600
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while left := self.behind(connection):
                first = left if first is None else first
                self.crew.check()
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the projector is {left} events behind")
                time.sleep(0.01)
        return first or 0

    def recorded(self) -> int:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute("select coalesce(sum(position), 0) from activities.heads").fetchone()
        assert row is not None
        return int(row[0])

    def behind(self, connection: psycopg.Connection[Any]) -> int:
        """How many events the read model that is furthest behind has yet to see."""
        row = connection.execute(_LEFT, (list(READ_MODELS),)).fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def more_workers(self, count: int) -> Iterator[Door]:
        """A door of its own with so many workers behind it, on the same database."""
        with Door() as door:
            names = [f"worker {n} of {count}" for n in range(1, count + 1)]
            for name in names:
                self.start_worker(name, door)
            self.await_ready(door)
            yield door
            self.crew.stop(*names)
