"""What is measured of requests, and everything measured in Prometheus' words. Several workers tell as one."""

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.types import Scope

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one serve count together; the library reads this variable itself."""

REQUESTS = Counter("activities_http_requests", "Requests by route and status", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "activities_http_request_seconds",
    "From a request's arrival to the begin of its answer",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_requests_of = lru_cache(maxsize=None)(REQUESTS.labels)
_seconds_of = lru_cache(maxsize=None)(REQUEST_SECONDS.labels)
"""Looked up once: there are as many as routes and statuses."""


def count_request(scope: Scope, status: int, seconds: float) -> None:
    method, route = route_of(scope)
    _requests_of(method, route, status).inc()
    _seconds_of(method, route).observe(seconds)


def route_of(scope: Scope) -> tuple[str, str]:
    """Its method and the route's path, never the path that was asked for: ids are nobody's business here."""
    own = getattr(scope.get("route"), "path", None)
    if own is None:
        return "none", "none"
    asked = scope["path"].split("/")
    prefix = "/".join(asked[: len(asked) - own.count("/")])
    return scope["method"], prefix + own


class Standing(Collector):
    """Where the read models stand, from rows of the table `standing`; None: the database did not tell."""

    def __init__(self, rows: Iterable[tuple[Any, ...]] | None) -> None:
        self._rows = None if rows is None else list(rows)

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "activities_database_up", "Whether the database answers the worker", value=int(self._rows is not None)
        )
        if self._rows is not None:
            yield from self._standing(self._rows)

    def _standing(self, rows: list[tuple[Any, ...]]) -> Iterator[Metric]:
        behind = GaugeMetricFamily("activities_projection_behind", "Positions to go", labels=["read_model"])
        seconds = GaugeMetricFamily(
            "activities_projection_lag_seconds", "Since its last move, while behind", labels=["read_model"]
        )
        parked = GaugeMetricFamily("activities_parked_streams", "Streams that wait for a retry")
        for read_model, positions, lag, _ in rows:
            behind.add_metric([read_model], positions)
            seconds.add_metric([read_model], lag)
        parked.add_metric([], max((row[3] for row in rows), default=0))
        yield from (behind, seconds, parked)


class Signing(Collector):
    """How the audit signer stands, from the row of `audit_signer`; nothing where none was ever at work."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def collect(self) -> Iterator[Metric]:
        for unsigned, alarms, silent in self._rows:
            yield GaugeMetricFamily("activities_audit_unsigned", "Positions without a checkpoint", unsigned)
            yield GaugeMetricFamily("activities_audit_alarms", "Logs the signer refuses to sign", alarms)
            yield GaugeMetricFamily("activities_audit_signer_silent_seconds", "Since the signer's last round", silent)


def exposition(rows: Iterable[tuple[Any, ...]] | None, signing: Iterable[tuple[Any, ...]] = ()) -> bytes:
    standing = CollectorRegistry()
    standing.register(Standing(rows))
    standing.register(Signing(signing))
    counted = REGISTRY
    if SHARED in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(standing)


def forget(shared: str, pid: int) -> None:
    """What a worker that died had at the moment counts no more; what it has counted does."""
    mark_process_dead(pid, shared)  # type: ignore[no-untyped-call]
