"""What to run, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

GROWTH = (10_000, 100_000, 1_000_000)
PARTS = ("reads", "writes", "workers", "history", "projector", "footprint", "growth")


@dataclass(frozen=True)
class Plan:
    """`seconds` is the length of one burst of load; every figure is the median of `rounds` of them."""

    rows: Sequence[int]
    targets: Sequence[str]
    only: Sequence[str]
    seconds: int
    rounds: int
    backlog: int
    now: datetime

    def wants(self, part: str, name: str = "") -> bool:
        """Whether a part, or one thing in it, is to be measured."""
        return not self.only or part in self.only or name in self.only


def plan_of(*, rows: Sequence[int], targets: Sequence[str], only: Sequence[str], quick: bool) -> Plan:
    seconds, rounds, backlog = (1, 2, 4_000) if quick else (3, 3, 20_000)
    now = datetime.now(UTC).replace(microsecond=0)
    return Plan(tuple(rows), tuple(targets), tuple(only), seconds, rounds, backlog, now)
