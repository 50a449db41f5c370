"""From the acknowledgement of a command to its row in the list, while 300 commands a second are served."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from uuid import UUID

import psycopg
from ulid import ULID

from benchmarks.load.wrk import burst
from benchmarks.plan import Plan
from benchmarks.results import Fact
from benchmarks.scenarios.asking import answer
from benchmarks.scenarios.writes import create, patch, reschedule
from benchmarks.targets.service import Service

COMMANDS_PER_SECOND = 300
CONNECTIONS = 16
_SAMPLE_EVERY = 0.04
_THERE = "select exists (select from activities.activity_list where organization_id = %s and activity_id = %s)"


def append_to_visible(service: Service, plan: Plan) -> list[Fact]:
    """Samples of one more caller's creates, each looked for in the list's own table every half millisecond."""
    service.rest()
    commands, seconds = _mixed(service), max(4, 4 * plan.seconds)
    pause = _pause(service, commands)
    with ThreadPoolExecutor(1) as load:
        served = load.submit(burst, service.door.url, commands, connections=CONNECTIONS, seconds=seconds, pause=pause)
        time.sleep(1.0)
        lags = list(_lags(service, time.monotonic() + seconds - 2.0))
        rate = served.result().rate
    cuts = quantiles(lags, n=100)
    note = f"{len(lags)} samples, {rate:.0f} commands/s"
    rows = service.main.rows
    return [
        Fact("append to visible, p50", "service", rows, cuts[49], "ms", note),
        Fact("append to visible, p95", "service", rows, cuts[94], "ms", note),
    ]


def _mixed(service: Service) -> list[bytes]:
    """A create, a change and a move in turn."""
    kinds = (create(service, 1), patch(service, 1), reschedule(service, 1))
    return [request for three in zip(*kinds, strict=False) for request in three]


def _pause(service: Service, commands: list[bytes]) -> int:
    """How long (ms) each connection must wait between its commands, going by a first second."""
    wanted = CONNECTIONS / COMMANDS_PER_SECOND * 1e3
    tried = burst(service.door.url, commands, connections=CONNECTIONS, seconds=1, pause=round(wanted))
    answering = CONNECTIONS / tried.rate * 1e3 - wanted
    return max(1, round(wanted - answering))


def _lags(service: Service, deadline: float) -> Iterator[float]:
    requests = create(service, 1)
    organization = service.main.organization
    with psycopg.connect(service.dsn, autocommit=True) as connection:
        for request in requests:
            if time.monotonic() > deadline:
                return
            made = answer(service, request)["data"]["id"]
            acknowledged = time.perf_counter()
            _await_row(connection, organization, ULID.from_str(made).to_uuid())
            yield (time.perf_counter() - acknowledged) * 1e3
            time.sleep(_SAMPLE_EVERY)


def _await_row(connection: psycopg.Connection, organization: str, key: UUID) -> None:
    while connection.execute(_THERE, (organization, key)).fetchone() == (False,):
        time.sleep(0.0005)
