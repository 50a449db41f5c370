"""What came of a soak, each figure with its bound."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import linear_regression, quantiles
from typing import Any

STEEPEST, LONGEST_LAG = 1.0, 0.25
"""MB a minute; seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure and what it must be; `bound` None: it is told, and must be nothing."""

    name: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def met(self) -> bool:
        return self.bound is None or self.value < self.bound


@dataclass(slots=True)
class Verdict:
    about: dict[str, Any]
    findings: list[Finding]
    errors: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return all(finding.met for finding in self.findings) and not self.errors and not self.drift

    def told(self) -> dict[str, Any]:
        findings = [{**asdict(finding), "met": finding.met} for finding in self.findings]
        return {**asdict(self), "findings": findings, "clean": self.clean}


def slopes(memory: Mapping[str, Sequence[tuple[float, float]]], warm_up: float) -> list[Finding]:
    """Growth of each process after the warm-up, by least squares, and where it ended."""
    findings = []
    for name, samples in sorted(memory.items()):
        warm = [(at, size) for at, size in samples if at >= warm_up]
        if len(warm) < 10:
            continue
        times, sizes = zip(*warm, strict=True)
        per_minute = linear_regression(times, sizes).slope * 60
        findings.append(Finding(f"memory of {name}, slope", per_minute, "MB/min", STEEPEST))
        findings.append(Finding(f"memory of {name}, at the end", sizes[-1], "MB"))
    return findings


def lag(lags: Sequence[float]) -> list[Finding]:
    cuts = quantiles(lags, n=100)
    return [
        Finding("lag of the read tables, p50", cuts[49] * 1e3, "ms"),
        Finding("lag of the read tables, p99", cuts[98] * 1e3, "ms", LONGEST_LAG * 1e3),
    ]


def latencies(by_kind: Mapping[str, Sequence[float]]) -> list[Finding]:
    return [
        Finding(f"{kind}, p{percent}", quantiles(values, n=100)[percent - 1], "ms")
        for kind, values in sorted(by_kind.items())
        if len(values) > 1
        for percent in (50, 99)
    ]
