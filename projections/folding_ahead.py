"""While one stretch is written, the next is folded: by a thread, on a connection of its own.

The log is only read, and a fact that stands in it never changes. So what is folded ahead is what would be folded later,
as long as the stretch before was written whole; otherwise it is thrown away.
"""

from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from application.event_store import reading
from application.event_store.mapper import State
from projections.folding import Fold, Folder


@dataclass(frozen=True, slots=True)
class Stretch:
    """The facts after `position` and up to `upto`, but for the streams in `without`."""

    organization_id: str
    position: int
    upto: int
    without: Set[UUID]

    def folded(self, connection: Connection[Any], folder: Folder, upon: Mapping[UUID, State] | None = None) -> Fold:
        """`upon`: states of the stretch before that are not kept yet."""
        rows = reading.after(connection, self.organization_id, self.position, self.upto)
        return folder.fold(connection, self.organization_id, rows, self.without, upon)


class Ahead:
    """What is folded before its turn: one stretch at most."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[Any] | None = None
        self._thread = ThreadPoolExecutor(1, "folding-ahead")
        self._folded: tuple[Stretch, Fold] | None = None

    def close(self) -> None:
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    def taken(self, stretch: Stretch) -> Fold | None:
        """This very stretch, if it is the one that was folded."""
        folded, self._folded = self._folded, None
        return folded[1] if folded is not None and folded[0] == stretch else None

    @contextmanager
    def folding(self, stretch: Stretch, folder: Folder, upon: Fold) -> Iterator[None]:
        """Fold it while the block works, which must not touch the folder. If the block fails, this was for nothing."""
        future = self._thread.submit(self._fold, stretch, folder, dict(upon.states))
        try:
            yield
        finally:
            wait([future])
        if (fold := future.result()) is not None:
            self._folded = stretch, fold

    def _fold(self, stretch: Stretch, folder: Folder, upon: Mapping[UUID, State]) -> Fold | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._conninfo, autocommit=True)
            return stretch.folded(self._connection, folder, upon)
        except psycopg.OperationalError:  # then it is folded when it is its turn
            return None
