"""A file that is there as a whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from application.durable import make_durable


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft to write, beside `path`: it takes its place once the block is done, and is gone if it fails."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        make_durable(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
