"""Filling shadows from a long log by as many processes as there are processors, each with a part of the streams."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from typing import Any

import psycopg
from psycopg import Connection

from application.event_store import keyring
from application.postgres.connections import Role, conninfo
from application.settings import Settings
from projections.read_models import READ_MODELS
from projections.shadow import Progress, Source, fill, shadow_of
from projections.whole_log import Part

LONG = 50_000
"""Events: fewer are folded sooner than another process has started."""
MOST = 4
"""Processes: each asks for two connections."""

_SPAWN = multiprocessing.get_context("spawn")


class PartFailed(Exception):
    """One of the processes did not fold its part; what hindered it stands on stderr."""

    def __init__(self) -> None:
        super().__init__("a part of the log could not be folded")


@dataclass(frozen=True, slots=True)
class Filling:
    """Shadows of the read models of these names, to be filled from an organisation's log up to a position."""

    dsn: str
    read_models: Sequence[str]
    organization_id: str
    upto: int

    def run(self, told: Progress, processes: int | None = None) -> None:
        """Stretch by stretch, each committed: nobody asks a shadow before it is whole. Raises PartFailed."""
        parts = processes or self._processes()
        with self._others(parts) as others:
            self.run_part(Part(0, parts), lambda events: told(events * parts))
            for other in others:
                other.join()
                if other.exitcode != 0:
                    raise PartFailed

    def run_part(self, part: Part, told: Progress) -> None:
        shadows = [shadow_of(READ_MODELS[name]) for name in self.read_models]
        with self._connected() as reading, self._connected() as writing, reading.transaction():
            fill(writing, shadows, Source(reading, self.organization_id, self.upto, part), told)

    def _processes(self) -> int:
        return 1 if self.upto < LONG else min(os.cpu_count() or 1, MOST)

    @contextmanager
    def _connected(self) -> Iterator[Connection[Any]]:
        with psycopg.connect(conninfo(self.dsn, Role.PROJECTOR), autocommit=True) as connection:
            connection.execute("set statement_timeout = 0")
            yield connection

    @contextmanager
    def _others(self, parts: int) -> Iterator[list[SpawnProcess]]:
        """The processes for all parts but the first; none of them outlasts the block."""
        others = [
            _SPAWN.Process(target=_help, args=(keyring.settings(), self, Part(number, parts)), daemon=True)
            for number in range(1, parts)
        ]
        try:
            for other in others:
                other.start()
            yield others
        finally:
            for other in others:
                if other.pid is not None:
                    other.terminate()
                    other.join()


def _help(settings: Settings, filling: Filling, part: Part) -> None:
    keyring.use(settings)
    filling.run_part(part, _while_wanted)


def _while_wanted(_events: int) -> None:
    """Nobody is to fold for a rebuild that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)
