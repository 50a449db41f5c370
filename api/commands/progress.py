"""Progress of work that takes long: a bar on a terminal, plain lines elsewhere, always on stderr."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, track

T = TypeVar("T")
LINE_EVERY = 2.0


@contextmanager
def counting(what: str, unit: str = "events") -> Iterator[Callable[[int], None]]:
    """A counter for work whose length is not known beforehand."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_counter(what, unit)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn(f"{{task.completed:,.0f}} {unit}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.advance(task, count)


def _plain_counter(what: str, unit: str) -> Callable[[int], None]:
    count, said = 0, time.monotonic()

    def told(more: int) -> None:
        nonlocal count, said
        count += more
        if time.monotonic() - said > LINE_EVERY:
            said = time.monotonic()
            print(f"{what}: {count} {unit}", file=sys.stderr)

    return told


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, with their progress shown."""
    if sys.stderr.isatty():
        yield from track(items, description=what, console=Console(stderr=True))
        return
    said = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - said > LINE_EVERY or number == len(items):
            said = time.monotonic()
            print(f"{what}: {number} of {len(items)}", file=sys.stderr)
