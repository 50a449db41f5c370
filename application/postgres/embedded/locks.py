"""File locks the kernel drops when their last holder ends, however it ends: nothing ever goes stale."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from application.postgres.embedded.waiting import wait_until


class FileLock:
    """An flock. It belongs to the open file: a process that inherits `fd` holds it as well."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def on(cls, path: Path) -> Self:
        """A lock, not held yet, on a file (made if missing) or an existing directory."""
        flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
        return cls(os.open(path, flags | os.O_CLOEXEC, 0o600))

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go of this handle; whoever inherited it goes on holding the lock."""
        os.close(self.fd)

    def release(self) -> None:
        """Let go on behalf of everybody who shares this open file."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        self.close()

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def held(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock on `path` alone for the length of a block. Raises TimeoutError when others keep it."""
    lock = FileLock.on(path)
    try:
        if not wait_until(lock.try_exclusive, seconds):
            raise TimeoutError(f"{path} was held by another process for {seconds:g} s")
        yield
    finally:
        lock.close()


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock on `path` alone. Only looks: a missing file stays missing."""
    try:
        lock = FileLock(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        return False
    try:
        return not lock.try_shared()
    finally:
        lock.close()
