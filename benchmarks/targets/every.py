"""The targets there are, by name, and several of them running together."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.data.sample import organizations
from benchmarks.plan import Plan
from benchmarks.targets.ceilings import Echo, Null
from benchmarks.targets.crud import Crud
from benchmarks.targets.service import Service
from benchmarks.targets.stock import Stock
from benchmarks.targets.target import Target

TARGETS: dict[str, type[Target]] = {target.name: target for target in (Service, Crud, Stock, Null, Echo)}
GROWING = ("service", "crud")


@contextmanager
def running(names: Iterable[str], rows: int, folder: Path, now: datetime) -> Iterator[dict[str, Target]]:
    """The named targets, each filled with the same data."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_target(name, rows, folder, now)) for name in names}


@contextmanager
def sizes(plan: Plan, folder: Path, told: Callable[[str], None]) -> Iterator[dict[str, Target]]:
    """Those of the plan's targets that grow, once for each of its data sets, all at the same time."""
    with ExitStack() as stack:
        found: dict[str, Target] = {}
        for rows in plan.rows:
            for name in (name for name in plan.targets if name in GROWING):
                told(f"starting {name} with {rows:,} activities")
                found[f"{name} {rows}"] = target = stack.enter_context(_target(name, rows, folder, plan.now))
                told(f"  loaded in {target.loading_seconds:.0f} s")
        yield found


def _target(name: str, rows: int, folder: Path, now: datetime) -> Target:
    return TARGETS[name](folder / f"{name}-{rows}", organizations(rows, now))
