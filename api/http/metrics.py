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
    """By the route's path, never by the path that was asked for: ids are nobody's business here."""
    own = getattr(scope.get("route"), "path", None)
    if own is None:
        _counting("none", "none", status).inc()
        return
    asked = scope["path"].split("/")
    prefix = "/".join(asked[: len(asked) - own.count("/")])
    _counting(scope["method"], prefix + own, status).inc()


@lru_cache(maxsize=1024)
def _counting(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method, route, status)


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


class Signing(Collector):
    """How the audit signer stands, from the row of `audit_signer`; nothing where none was ever at work."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def collect(self) -> Iterator[Metric]:
        for unsigned, alarms, silent in self._rows:
            yield GaugeMetricFamily("activities_audit_unsigned", "Positions without a checkpoint", unsigned)
            yield GaugeMetricFamily("activities_audit_alarms", "Logs the signer refuses to sign", alarms)
            yield GaugeMetricFamily("activities_audit_signer_silent_seconds", "Since the signer's last round", silent)


def exposition(rows: Iterable[tuple[Any, ...]], signing: Iterable[tuple[Any, ...]] = ()) -> bytes:
    standing = CollectorRegistry()
    standing.register(Standing(rows))
    standing.register(Signing(signing))
    counted = REGISTRY
    if SHARED in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(standing)
