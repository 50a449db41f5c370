"""Does a long past make a command dear? Activities with a thousand events each, beside fresh ones."""

import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from uuid import UUID

import psycopg

from benchmarks.data.sample import Sampled
from benchmarks.load.requests import Requests
from benchmarks.load.wrk import Burst, burst
from benchmarks.plan import Plan
from benchmarks.results import Fact, Figure, figure
from benchmarks.scenarios.asking import answer
from benchmarks.targets.filling import Facts, append
from benchmarks.targets.service import Service
from domain.activity.events import Rescheduled

EVENTS = 1_000
LONG = 10
FRESH = 2_000


class History:
    def __init__(self, service: Service, plan: Plan) -> None:
        self._service, self._plan = service, plan
        activities = list(service.main.pending(LONG + FRESH, seed=time.time_ns()))
        service.add(activities)
        self._long, self._fresh = activities[:LONG], activities[LONG:]
        self._lengthen(self._long)
        service.settle()

    def facts(self) -> list[Fact]:
        """The first command on each kind after a restart, when nothing is remembered."""
        rows = self._service.main.rows
        long, fresh = [], []
        for number in range(self._plan.rounds):
            self._restart()
            long.append(self._first(self._long[number]))
            fresh.append(self._first(self._fresh[number]))
        then = self._back_in_time()
        return [
            Fact("first command, 1,000 events", "service", rows, median(long), "ms", "after a restart of the worker"),
            Fact("first command, fresh", "service", rows, median(fresh), "ms", "after a restart of the worker"),
            Fact("as_of, 1,000 events, p50", "service", rows, then.p50, "ms", f"{then.requests} questions"),
            Fact("as_of, 1,000 events, p95", "service", rows, then.p95, "ms", "as of versions from 900 to 1,000"),
        ]

    def _back_in_time(self) -> Burst:
        """One question after the other, each as of another version."""
        requests = Requests(self._service)
        ids = [self._service.id_of(one.key) for one in self._long]
        asked = [requests.get(f"/activities/{id_}", as_of=EVENTS - back) for back in range(100) for id_ in ids]
        return burst(self._service.door.url, asked, connections=1, seconds=self._plan.seconds)

    def figures(self) -> list[Figure]:
        """Commands one after the other, once the activities are known."""
        kinds = {"history of 1,000": self._long, "history of 1": self._fresh}
        bursts: dict[str, list[Burst]] = {name: [] for name in kinds}
        for _ in range(self._plan.rounds):
            for name, activities in kinds.items():
                self._service.rest()
                requests = self._moves(activities)
                bursts[name].append(burst(self._service.door.url, requests, connections=1, seconds=self._plan.seconds))
        rows = self._service.main.rows
        return [figure(name, "service", rows, 1, bursts[name]) for name in kinds]

    def _lengthen(self, activities: Sequence[Sampled]) -> None:
        sample = self._service.main
        with psycopg.connect(self._service.dsn, autocommit=True) as connection:
            for one in activities:
                moves = [
                    Rescheduled(at=sample.now, due_at=sample.now + timedelta(days=n % 60 + 1), reminder_at=None)
                    for n in range(EVENTS - 1)
                ]
                streams: list[Facts] = [(one.key, 2, moves)]
                append(connection, sample.organization, sample.now, streams)

    def _moves(self, activities: Sequence[Sampled]) -> list[bytes]:
        """Two changes for each, so that every command changes something."""
        requests = Requests(self._service)
        ids: list[UUID] = [one.key for one in activities]
        return [
            requests.patch(f"/activities/{self._service.id_of(key)}", {"location": f"Room {room}"})
            for room in (1, 2)
            for key in ids
        ]

    def _restart(self) -> None:
        """A new worker, warm in everything but these activities."""
        self._service.crew.stop("worker")
        self._service.start_worker("worker", self._service.door)
        self._service.await_ready(self._service.door)
        for request in self._moves(self._fresh[-30:]):
            answer(self._service, request)

    def _first(self, one: Sampled) -> float:
        request = self._moves([one])[0]
        began = time.perf_counter()
        answer(self._service, request)
        return (time.perf_counter() - began) * 1e3
