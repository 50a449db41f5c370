"""The targets there are, by name, and any of them running together."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.data.sample import organizations
from benchmarks.targets.ceilings import Echo, Null
from benchmarks.targets.crud import Crud
from benchmarks.targets.service import Service
from benchmarks.targets.stock import Stock
from benchmarks.targets.target import Target

TARGETS: dict[str, type[Target]] = {target.name: target for target in (Service, Crud, Stock, Null, Echo)}


@contextmanager
def running(names: Iterable[str], rows: int, folder: Path, now: datetime) -> Iterator[dict[str, Target]]:
    """The named targets, each filled with the same data."""
    made = {name: TARGETS[name](folder / f"{name}-{rows}", organizations(rows, now)) for name in names}
    with ExitStack() as stack:
        yield {name: stack.enter_context(target) for name, target in made.items()}
