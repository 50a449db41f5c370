"""The stock event-sourced peer: one API process, and the library's runner in a second one."""

import time
from collections.abc import Iterable

from eventsourcing.persistence import Tracking

from benchmarks.data.sample import Sampled
from benchmarks.peers import serve
from benchmarks.peers.stock.domain import Activities, Activity, shown
from benchmarks.peers.stock.environment import environment, view_of
from benchmarks.targets.filling import chunks
from benchmarks.targets.target import SECRET, Target
from domain.vocabulary import Status

_PATIENCE = 600.0
_AT_ONCE = 200  # the library's own insert was seen to wait for ever with a thousand


class Stock(Target):
    name = "stock"

    def _prepare(self) -> None:
        env = environment(self.dsn) | {"POSTGRES_POOL_SIZE": "1"}
        self.activities, self.view = Activities(env), view_of(env)
        for sample in self.samples:
            self._append(sample.organization, sample.activities())

    def _start(self) -> None:
        self.crew.start(
            "worker",
            "benchmarks.peers.serve",
            "stock",
            env=self._env | {serve.LISTEN_FD: str(self.door.listener.fileno())},
            listener=self.door.listener,
        )
        self.start_projector()

    @property
    def _env(self) -> dict[str, str]:
        return {serve.DSN: self.dsn, serve.SECRET: SECRET}

    def start_projector(self) -> None:
        self.crew.start("projector", "benchmarks.peers.stock.projector", env=self._env)

    def __exit__(self, *_: object) -> None:
        self.view.datastore.close()
        self.activities.close()
        super().__exit__()

    def add(self, more: Iterable[Sampled]) -> None:
        """The runner is stopped meanwhile: what it would do one by one is done at once."""
        self.settle()
        self.crew.stop("projector")
        self._append(self.main.organization, more)
        self.start_projector()

    def add_unprojected(self, more: Iterable[Sampled]) -> None:
        """Leave a backlog to the runner."""
        for some in chunks(more, _AT_ONCE):
            self.activities.save(*(_aggregate(self.main.organization, one) for one in some))

    def settle(self) -> int:
        first, deadline = None, time.monotonic() + _PATIENCE
        while left := self.behind():
            first = left if first is None else first
            self.crew.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the runner is {left} events behind")
            time.sleep(0.02)
        return first or 0

    def recorded(self) -> int:
        return self.activities.recorder.max_notification_id() or 0

    def behind(self) -> int:
        return self.recorded() - (self.view.max_tracking_id(self.activities.name) or 0)

    def _append(self, organization: str, activities: Iterable[Sampled]) -> None:
        for some in chunks(activities, _AT_ONCE):
            aggregates = [_aggregate(organization, one) for one in some]
            rows = [(aggregate.id, organization, shown(aggregate)) for aggregate in aggregates]
            recorded = self.activities.save(*aggregates)
            self.view.insert(rows, Tracking(self.activities.name, recorded[-1].notification.id))


def _aggregate(organization: str, sampled: Sampled) -> Activity:
    created = {"organization_id": organization, "created_by": "user-1", "said": sampled.said}
    aggregate = Activity._create(Activity.Created, id=sampled.key, **created)
    if sampled.status is Status.COMPLETED:
        aggregate.complete({})
    return aggregate
