"""What is measured of requests, and everything measured in Prometheus' words. Several workers tell as one."""

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import Scope

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one serve count together; the library reads this variable itself."""

REQUESTS = Counter("activities_http_requests", "Requests by route and status", ["method", "route", "status"])


def count_request(scope: Scope, status: int) -> None:
    REQUESTS.labels(*route_of(scope), status).inc()


def route_of(scope: Scope) -> tuple[str, str]:
    """Its method and the route's path, never the path that was asked for: ids are nobody's business here."""
    own = getattr(scope.get("route"), "path", None)
    if own is None:
        return "none", "none"
    asked = scope["path"].split("/")
    prefix = "/".join(asked[: len(asked) - own.count("/")])
    return scope["method"], prefix + own


class Standing(Collector):
    """Where the read models stand, from rows of the table `standing`."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def collect(self) -> Iterator[Metric]:
        behind = GaugeMetricFamily("activities_projection_behind", "Positions to go", labels=["read_model"])
        seconds = GaugeMetricFamily(
            "activities_projection_lag_seconds", "Since its last move, while behind", labels=["read_model"]
        )
        parked = GaugeMetricFamily("activities_parked_streams", "Streams that wait for a retry")
        for read_model, positions, lag, _ in self._rows:
            behind.add_metric([read_model], positions)
            seconds.add_metric([read_model], lag)
        parked.add_metric([], max((row[3] for row in self._rows), default=0))
        yield from (behind, seconds, parked)


def exposition(rows: Iterable[tuple[Any, ...]]) -> bytes:
    standing = CollectorRegistry()
    standing.register(Standing(rows))
    counted = REGISTRY
    if SHARED in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(standing)
