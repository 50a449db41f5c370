"""What outlives a power cut."""

import os
from pathlib import Path


def make_durable(path: Path) -> None:
    """Have a file's content on the disk, or a directory's entries: else a power cut could undo a rename."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
