"""Whether there is room where the embedded database keeps its data. One elsewhere tells when a command fails."""

import os
from pathlib import Path

from application.desk import FULL

LEAST = 16 * 1024 * 1024
"""Bytes: what PostgreSQL takes at once for its log. Without them it stops altogether."""


class Disk:
    """The disk of a directory; where there is no such directory, there is nothing to tell."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def trouble(self) -> str | None:
        try:
            found = os.statvfs(self._directory)
        except OSError:
            return None
        return FULL if found.f_bavail * found.f_frsize < LEAST else None
