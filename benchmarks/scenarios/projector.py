"""How fast the read tables follow: a backlog, a rebuild, and the way of one command into the list."""

import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from random import Random
from uuid import UUID

import psycopg

from application.event_store import keyring
from application.settings import Settings
from benchmarks.plan import Plan
from benchmarks.results import Fact
from benchmarks.targets.filling import AT_ONCE, Facts, append
from benchmarks.targets.service import Service
from benchmarks.targets.stock import Stock
from domain.activity.events import Rescheduled
from projections.read_models import READ_MODELS
from projections.rebuild import Rebuild

STOCK_BACKLOG = 2_000
_LENGTH = "select sum(position) from activities.heads"
_VERSIONS = """
select originator_id, max(originator_version) from activities.events
 where organization_id = %s and originator_id = any(%s) group by originator_id
"""


def catching_up(service: Service, plan: Plan) -> list[Fact]:
    """Half the backlog makes activities, half moves ones that are there; the projector is started upon it."""
    service.settle()
    service.crew.stop("projector")
    _leave_backlog(service, plan.backlog)
    with psycopg.connect(service.dsn, autocommit=True) as connection:
        whole = left = service.behind(connection)
        service.start_projector()
        while left == whole:  # until the process is up and has moved once
            left, began = service.behind(connection), time.perf_counter()
            service.crew.check()
        seconds = _until_none(service, connection, began)
    return [Fact("live catch-up", "service", service.main.rows, left / seconds, "events/s", f"{whole} events")]


def stock_catching_up(stock: Stock) -> list[Fact]:
    stock.settle()
    stock.crew.stop("projector")
    stock.add_unprojected(stock.main.pending(STOCK_BACKLOG, seed=time.time_ns()))
    whole = left = stock.behind()
    stock.start_projector()
    while left == whole:
        left, began = stock.behind(), time.perf_counter()
        stock.crew.check()
    stock.settle()
    rate = left / (time.perf_counter() - began)
    return [Fact("live catch-up", "stock", stock.main.rows, rate, "events/s", f"{whole} events")]


def rebuilding(service: Service) -> list[Fact]:
    """The list alone, then all tables together. A row that differs is a failure."""
    service.settle()
    keyring.use(Settings(database_url=service.dsn, data_dir=service.folder))  # personal data are sealed with its key
    with psycopg.connect(service.dsn) as connection:
        events = int(connection.execute(_LENGTH).fetchall()[0][0])
    rows, note = service.main.rows, f"a log of {events} events"
    return [
        Fact("rebuild of the list", "service", rows, events / _rebuilt(service.dsn, "activity_list"), "events/s", note),
        Fact("rebuild of all tables", "service", rows, events / _rebuilt(service.dsn, *READ_MODELS), "events/s", note),
    ]


def _rebuilt(dsn: str, *names: str) -> float:
    """Seconds it took: anew beside the live tables, compared with them and put in their place."""
    began = time.perf_counter()
    verdicts = Rebuild(dsn, *(READ_MODELS[name] for name in names)).run(lambda events: None)
    took = time.perf_counter() - began
    if drift := [verdict.drift[:3] for verdict in verdicts if verdict.drift]:
        raise AssertionError(f"{', '.join(names)}: not what the log says: {drift}")
    return took


def _leave_backlog(service: Service, events: int) -> None:
    sample = service.main
    known = [one.key for one in sample.activities()]
    new, r = sample.pending(events // 2, seed=time.time_ns()), Random(7)  # noqa: S311
    with psycopg.connect(service.dsn, autocommit=True) as connection:
        while some := list(islice(new, AT_ONCE)):
            service.add(some)
            keys = r.sample(known, min(len(known), len(some)))
            append(connection, sample.organization, sample.now, _moves(service, connection, keys, r))


def _moves(service: Service, connection: psycopg.Connection, keys: list[UUID], r: Random) -> Iterator[Facts]:
    sample = service.main
    for key, version in connection.execute(_VERSIONS, (sample.organization, keys)):
        due = sample.now + timedelta(minutes=r.randrange(1440, 86400))
        yield key, version + 1, [Rescheduled(at=sample.now, due_at=due, reminder_at=None)]


def _until_none(service: Service, connection: psycopg.Connection, began: float) -> float:
    while service.behind(connection):
        service.crew.check()
        time.sleep(0.002)
    return time.perf_counter() - began
