"""Progress of work that takes long: a bar on a terminal, plain lines elsewhere, always on stderr."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
LINE_EVERY = 2.0


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
