"""The stock event-sourced peer: one API process, and the library's runner in a second one."""

from collections.abc import Iterable
from datetime import timedelta

from eventsourcing.persistence import Tracking

from benchmarks.data.sample import Sampled
from benchmarks.peers import serve
from benchmarks.peers.stock.domain import Activities, Activity
from benchmarks.peers.stock.environment import environment, view_of
from benchmarks.peers.stock.view import created_document
from benchmarks.targets.filling import chunks
from benchmarks.targets.target import SECRET, Target
from domain.vocabulary import Status

_PATIENCE = 3600.0


class Stock(Target):
    name = "stock"

    def _prepare(self) -> None:
        self.activities = Activities(environment(self.dsn))
        self.view = view_of(environment(self.dsn))
        self._stack.callback(self.activities.close)
        for sample in self.samples:
            self._append(sample.organization, sample.activities())

    def _start(self) -> None:
        env = {serve.LISTEN_FD: str(self.door.listener.fileno())}
        self.crew.start(
            "worker", "benchmarks.peers.serve", "stock", env=self._env | env, listener=self.door.listener
        )
        self.start_projector()

    @property
    def _env(self) -> dict[str, str]:
        return {serve.DSN: self.dsn, serve.SECRET: SECRET}

    def start_projector(self) -> None:
        self.crew.start("projector", "benchmarks.peers.stock.projector", env=self._env)

    def add(self, more: Iterable[Sampled]) -> None:
        """The runner is stopped meanwhile, so that what it would do one by one can be done at once."""
        self.crew.stop("projector")
        self.settled()
        self._append(self.main.organization, more)
        self.start_projector()
