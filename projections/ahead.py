"""While one stretch is written, the next is prepared: by a thread, on a connection of its own.

The log is only read, and a fact that stands in it never changes. So what is prepared ahead is what would be prepared
later, as long as the stretch before was written whole; otherwise it is thrown away.
"""

import time
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from projections.folding import Fold
from projections.statement import Statement

KEPT = 5.0
"""Seconds for which it is prepared."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The facts after `position` and up to `upto`, but for the streams in `without`, for some read models."""

    organization_id: str
    models: Sequence[str]
    position: int
    upto: int
    without: Set[UUID]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a stretch leads to, and what is to be written of it."""

    stretch: Stretch
    fold: Fold
    statements: Sequence[Statement]


class Ahead:
    """What is prepared before its turn: one stretch at most. Another organisation's stays until that one's turn."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[Any] | None = None
        self._thread = ThreadPoolExecutor(1, "ahead")
        self._prepared: Prepared | None = None
        self._kept_until = 0.0

    def close(self) -> None:
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    @property
    def idle(self) -> bool:
        """Whether something may be prepared: nothing is, or nobody came for it in time."""
        return self._prepared is None or time.monotonic() > self._kept_until

    def taken(self, stretch: Stretch) -> Prepared | None:
        """This very stretch, if it is the one that was prepared."""
        prepared = self._prepared
        if prepared is None or prepared.stretch.organization_id != stretch.organization_id:
            return None
        self._prepared = None
        return prepared if prepared.stretch == stretch else None

    @contextmanager
    def preparing(self, prepare: Callable[[Connection[Any]], Prepared]) -> Iterator[None]:
        """Prepare while the block works, which must not touch what `prepare` does. If it fails, that was in vain."""
        future = self._thread.submit(self._with_connection, prepare)
        try:
            yield
        finally:
            wait([future])
        self._prepared, self._kept_until = future.result(), time.monotonic() + KEPT

    def _with_connection(self, prepare: Callable[[Connection[Any]], Prepared]) -> Prepared | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._conninfo, autocommit=True)
            return prepare(self._connection)
        except psycopg.OperationalError:  # then it is prepared when it is its turn
            return None
