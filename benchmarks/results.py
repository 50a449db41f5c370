"""What was measured, as it is kept: figures of load, and facts of everything else. JSON in, JSON out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load.wrk import Burst


@dataclass(frozen=True, slots=True)
class Figure:
    """Load on one target: answers a second and latencies (ms), medians over the rounds.

    `behind` is the most events any of the rounds left to the projector. `costs` is the processor time of an answer in
    microseconds, by process.
    """

    scenario: str
    target: str
    rows: int
    connections: int
    rate: float
    p50: float
    p95: float
    p99: float
    rates: Sequence[float]
    behind: int = 0
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """Anything that was measured otherwise."""

    name: str
    target: str
    rows: int
    value: float
    unit: str
    note: str = ""


def figure(
    scenario: str,
    target: str,
    rows: int,
    connections: int,
    bursts: Sequence[Burst],
    behind: int = 0,
    costs: Sequence[Mapping[str, float]] = (),
) -> Figure:
    return Figure(
        scenario,
        target,
        rows,
        connections,
        rate=median(burst.rate for burst in bursts),
        p50=median(burst.p50 for burst in bursts),
        p95=median(burst.p95 for burst in bursts),
        p99=median(burst.p99 for burst in bursts),
        rates=[round(burst.rate, 1) for burst in bursts],
        behind=behind,
        costs={name: round(median(cost[name] for cost in costs), 1) for name in (costs[0] if costs else ())},
    )


@dataclass
class Results:
    """A run: where and when it was, what was asked for, and what came of it."""

    about: dict[str, Any] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def figure(self, scenario: str, target: str, rows: int | None = None) -> Figure | None:
        """The figure of a scenario; of the smallest data set unless told otherwise."""
        of = [f for f in self.figures if (f.scenario, f.target) == (scenario, target) and rows in (None, f.rows)]
        return min(of, key=lambda f: f.rows, default=None)

    def fact(self, name: str, target: str = "service") -> Fact | None:
        """The fact of the largest data set."""
        return max((f for f in self.facts if (f.name, f.target) == (name, target)), key=lambda f: f.rows, default=None)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Results":
        kept = json.loads(path.read_text(encoding="utf-8"))
        figures = [Figure(**one) for one in kept["figures"]]
        return cls(kept["about"], figures, [Fact(**one) for one in kept["facts"]])
