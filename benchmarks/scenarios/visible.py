"""From the acknowledgement of a command to its row in the list, while 300 commands a second are served."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles
from uuid import UUID

import psycopg
from ulid import ULID

from benchmarks.load.wrk import Burst, burst
from benchmarks.plan import Plan
from benchmarks.results import Fact
from benchmarks.scenarios.asking import answer
from benchmarks.scenarios.writes import create, patch, reschedule
from benchmarks.targets.service import Service

COMMANDS_PER_SECOND = 300
CONNECTIONS = 16
_ANSWER_MS = 6  # about what a command takes at this load; the rate that came of it is reported
_SAMPLE_EVERY = 0.04
_THERE = "select exists (select from activities.activity_list where organization_id = %s and activity_id = %s)"


def append_to_visible(service: Service, plan: Plan) -> list[Fact]:
    """Samples of one more caller's creates, each looked for in the list's own table every half millisecond."""
    service.rest()
    seconds = max(4, 3 * plan.seconds)
    with ThreadPoolExecutor(1) as load:
        served = load.submit(_load, service, seconds)
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


def _load(service: Service, seconds: int) -> Burst:
    mixed = [r for trio in zip(create(service, 1), patch(service, 1), reschedule(service, 1), strict=False) for r in trio]
    pause = round(CONNECTIONS / COMMANDS_PER_SECOND * 1e3) - _ANSWER_MS
    return burst(service.door.url, mixed, connections=CONNECTIONS, seconds=seconds, pause=pause)


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
