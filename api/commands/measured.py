"""What a running service says of itself, asked over HTTP: whether it is ready, and its measures."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

PATIENCE = 5.0
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """One look. `values` are the samples of each name, with their labels."""

    at: float
    ready: str
    values: Mapping[str, list[tuple[Labels, float]]] = field(default_factory=dict)

    def of(self, name: str, **labels: str) -> Iterator[tuple[Labels, float]]:
        for found, value in self.values.get(name, ()):
            if all(found.get(label) == wanted for label, wanted in labels.items()):
                yield found, value

    def total(self, name: str, **labels: str) -> float:
        return sum(value for _, value in self.of(name, **labels))


def look(client: httpx.Client) -> Measured:
    """`ready` is ready, degraded, or what is in the way; a service that does not answer has no values."""
    at = time.monotonic()
    try:
        ready = client.get("/health/ready")
        values: dict[str, list[tuple[Labels, float]]] = {}
        for family in text_string_to_metric_families(client.get("/metrics").raise_for_status().text):
            for sample in family.samples:
                values.setdefault(sample.name, []).append((sample.labels, sample.value))
    except httpx.HTTPError as error:
        return Measured(at, f"does not answer ({type(error).__name__})")
    return Measured(at, _told(ready), values)


def _told(ready: httpx.Response) -> str:
    said = ready.json()
    return str(said["status"]) if ready.is_success else str(said["detail"])


class Between:
    """What happened between two looks; from the start where there was none before."""

    def __init__(self, before: Measured | None, now: Measured) -> None:
        self.now = now
        self._before = before or Measured(now.at, "")
        self.seconds = now.at - self._before.at

    def count(self, name: str, **labels: str) -> float:
        """How much a counter grew; a worker started anew counts from nothing."""
        return max(self.now.total(name, **labels) - self._before.total(name, **labels), 0.0)

    def by(self, name: str, label: str) -> dict[str, float]:
        """The growth of a counter by one of its labels, the greatest first."""
        known = {found[label] for found, _ in self.now.of(name)}
        grown = {value: self.count(name, **{label: value}) for value in known}
        return {value: n for value, n in sorted(grown.items(), key=lambda one: -one[1]) if n}

    def mean(self, name: str) -> float:
        """Of a histogram; 0 where nothing happened."""
        return self.count(f"{name}_sum") / max(self.count(f"{name}_count"), 1)

    def quantile(self, name: str, share: float) -> float | None:
        """The bound of a histogram below which so many lie; None where nothing happened."""
        bounds = {float(found["le"]): found["le"] for found, _ in self.now.of(f"{name}_bucket")}
        wanted = share * self.count(f"{name}_count")
        for bound in sorted(bounds):
            if wanted and self.count(f"{name}_bucket", le=bounds[bound]) >= wanted:
                return bound
        return None
