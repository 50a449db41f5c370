"""The defects, each as an engineer might really make it."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection

import application.batch
import application.lane
import projections.projector
from application.batch import Batch
from application.command import Answer, Command
from application.deciding import Deciding, NewAnswer
from application.desk import Desk
from application.event_store.log import Log
from application.postgres import connections
from application.postgres.transaction import Transaction
from application.postgres.wire import Wire
from application.sealer import Sealer
from projections.ahead import Stretch
from projections.catching_up import STRETCH, CatchingUp, Moved
from projections.places import move, place_of


class KeepsAnswersAfterwards(Batch):
    """Idempotency outside the transaction: the answer is kept once the events are committed."""

    async def serve(self, wire: Wire) -> list[Answer | Exception]:
        self.late: list[NewAnswer] = []
        outcomes = await super().serve(wire)
        if self.late:
            async with Transaction(wire) as transaction:
                await Log(transaction, self.organization_id).keep([one.stored() for one in self.late])
        return outcomes

    async def _decided(self, log: Log, opened: Any, sealer: Sealer) -> Deciding:
        decided = await super()._decided(log, opened, sealer)
        self.late, decided.new_answers = decided.new_answers, []
        return decided


class IgnoresIfMatch(Deciding):
    def _check_version(self, command: Command) -> None:
        """Whatever version was named."""


class CursorFirst(CatchingUp):
    """The cursor is committed before the tables are: who is killed in between never comes back to them."""

    def advance(self, connection: Connection[Any], organization_id: str, epoch: int, upto: int | None = None) -> Moved:
        with connection.transaction():
            behind, position, head = place_of(connection, organization_id, list(self._models), epoch, upto)
            if not behind:
                return Moved.NOWHERE
            stretch = Stretch(organization_id, behind, position, min(head, position + STRETCH), set())
            move(connection, organization_id, behind, stretch.upto, epoch)
        with connection.transaction():
            fold = self._folded(connection, stretch)
            self._write(connection, stretch, fold, None)
        self._folder.keep(organization_id, fold)
        return Moved.ON


def commit_asynchronously() -> None:
    connections._BOUNDS[connections.Role.WRITER]["synchronous_commit"] = "off"


def keep_answers_afterwards() -> None:
    application.lane.Batch = KeepsAnswersAfterwards  # type: ignore[misc]


def ignore_if_match() -> None:
    application.batch.Deciding = IgnoresIfMatch  # type: ignore[misc]


def move_the_cursor_first() -> None:
    projections.projector.CatchingUp = CursorFirst  # type: ignore[misc]


def jump() -> None:
    """No defect: the desk's clock is as many seconds wrong as the file CHAOS_CLOCK says."""
    file = Path(os.environ["CHAOS_CLOCK"])

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))

    Desk.__init__.__kwdefaults__["clock"] = now


DEFECTS: Mapping[str, Callable[[], None]] = {
    "synchronous_commit=off": commit_asynchronously,
    "idempotency-outside": keep_answers_afterwards,
    "if-match-ignored": ignore_if_match,
    "cursor-first": move_the_cursor_first,
    "clock": jump,
}


def plant() -> None:
    for name in os.environ["CHAOS_PLANTED"].split():
        DEFECTS[name]()
