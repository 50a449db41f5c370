"""What became of a room's mutants, and how much that says of the room."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

BOUND = 85.0
_DETECTED = ("killed", "timeout", "segfault")
_Z = 1.96  # so many standard deviations to either side are 95 % of a normal distribution


@dataclass(frozen=True, slots=True)
class Sample:
    """The mutants tried are not all there are: drawn by chance, with this seed, of so many."""

    seed: int
    of: int


@dataclass(frozen=True, slots=True)
class Score:
    """Of the mutants that were tried, by their names, what became of each: killed, survived, no tests, ..."""

    room: str
    fates: Mapping[str, str]
    sample: Sample | None = None

    @property
    def tried(self) -> int:
        return len(self.fates)

    @property
    def survivors(self) -> list[str]:
        """All that nothing noticed."""
        return sorted(name for name, fate in self.fates.items() if fate not in _DETECTED)

    @property
    def percent(self) -> float:
        return 100 * self._share

    @property
    def interval(self) -> tuple[float, float]:
        """Percentages that have the whole room's score between them, for 95 of 100 samples (Wilson's interval)."""
        n, share, square = self.tried, self._share, _Z * _Z
        middle = share + square / (2 * n)
        reach = _Z * sqrt(share * (1 - share) / n + square / (4 * n * n))
        return 100 * (middle - reach) / (1 + square / n), 100 * (middle + reach) / (1 + square / n)

    @property
    def _share(self) -> float:
        return 1 - len(self.survivors) / self.tried

    def told(self) -> dict[str, Any]:
        """As it is kept."""
        fates = sorted(Counter(self.fates.values()).items())
        told: dict[str, Any] = {"percent": round(self.percent, 1), "mutants": self.tried, **dict(fates)}
        if self.sample is not None:
            interval = [round(bound, 1) for bound in self.interval]
            told["sample"] = {"of": self.sample.of, "seed": self.sample.seed, "percent_95": interval}
        return told
