"""The one loop that reads every log and moves every read model.

Notifications say where to look first; a poll is enough on its own. One projector works at a time, others stand by.
"""

import logging
import threading
import time
from contextlib import closing
from typing import Any

from psycopg import Connection

from application.postgres.connections import Role, conninfo
from projections import standing
from projections.ahead import Ahead
from projections.audit_tree.growing import Growing
from projections.catching_up import CatchingUp, Moved
from projections.connected import while_wanted
from projections.folding import Folder
from projections.lease import SECONDS, Deposed, Lease, this_process
from projections.read_models import READ_MODELS

log = logging.getLogger(__name__)

POLL = 0.5
LINGER = 0.01
"""While an organisation's log is busy, so many seconds of it are projected together, unless somebody waits for it."""

_BEHIND = """
select h.organization_id
  from heads h
 where h.position > 0
   and (select count(*) from cursors c
         where c.organization_id = h.organization_id
           and c.read_model = any(%s)
           and c.position >= h.position) < %s
"""


class Projector:
    """Runs until `stop` is set. Survives the database going away and coming back."""

    def __init__(self, dsn: str, stop: threading.Event) -> None:
        self._conninfo = conninfo(dsn, Role.PROJECTOR)
        self._stop = stop
        self._lease = Lease(this_process())
        self._ahead = Ahead(self._conninfo)
        self._catching_up = CatchingUp(READ_MODELS, Folder(), self._ahead)
        self._trees = Growing()
        self._rests_until: dict[str, float] = {}
        self._renew_at = 0.0
        self._look_at = 0.0

    def run(self) -> None:
        with closing(self._ahead):
            while_wanted(self._conninfo, self._stop, self._work, log)

    def _work(self, connection: Connection[Any]) -> None:
        connection.execute("listen activities_recorded")  # before the first look, so that nothing falls between
        connection.execute("listen activities_wanted")
        waiting: set[str] = set()
        self._look_at = 0.0
        while not self._stop.is_set():
            epoch = self._lease.hold(connection)
            if epoch is None:
                self._stop.wait(POLL)
                continue
            self._renew_at = time.monotonic() + SECONDS / 3
            try:
                self._reign(connection, epoch, waiting)
            except Deposed:
                log.warning("another projector took over")
        self._lease.release(connection)

    def _reign(self, connection: Connection[Any], epoch: int, waiting: set[str]) -> None:
        """Work for as long as the lease need not be renewed."""
        while not self._stop.is_set() and time.monotonic() < self._renew_at:
            if time.monotonic() >= self._look_at:
                waiting |= self._behind(connection)
                self._trees.look(connection)
                standing.say(connection, READ_MODELS)
                self._look_at = time.monotonic() + POLL
            for organization_id in [one for one in waiting if self._rests_until.get(one, 0.0) <= time.monotonic()]:
                self._advance(connection, organization_id, epoch, waiting)
                if time.monotonic() >= self._renew_at:
                    return
            growing = self._trees.step(connection, epoch)  # one stretch, then the read tables have their turn again
            self._hear(connection, waiting, at_once=growing)

    def _advance(self, connection: Connection[Any], organization_id: str, epoch: int, waiting: set[str]) -> None:
        moved = self._catching_up.advance(connection, organization_id, epoch)
        if moved is Moved.TO_THE_HEAD:
            self._rests_until[organization_id] = time.monotonic() + LINGER
        elif moved is Moved.NOWHERE:
            waiting.discard(organization_id)
            self._rests_until.pop(organization_id, None)

    def _hear(self, connection: Connection[Any], waiting: set[str], *, at_once: bool) -> None:
        """Wait until there is something to do, and hear of whatever else there is."""
        next_turns = (self._rests_until.get(one, 0.0) for one in waiting)
        until = min(self._look_at, self._renew_at, *next_turns) - time.monotonic()
        patience = 0.0 if at_once else max(until, 0.0)
        for notes in (connection.notifies(timeout=patience, stop_after=1), connection.notifies(timeout=0)):
            for note in notes:
                waiting.add(note.payload)
                if note.channel == "activities_wanted":
                    self._rests_until.pop(note.payload, None)

    def _behind(self, connection: Connection[Any]) -> set[str]:
        models = list(READ_MODELS)
        return {row[0] for row in connection.execute(_BEHIND, (models, len(models)))}
