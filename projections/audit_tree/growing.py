"""Growing each organisation's tree by what its log has gained, behind the read tables and never in their way."""

import logging
from typing import Any

from psycopg import Connection

from application.event_store.evidence import exhibits, out_of_order
from application.proof.leaf import Leaves
from application.proof.tiles import Missing, Place, grown
from projections.audit_tree.tiles import NAME, keep, last_tiles
from projections.lease import Deposed

log = logging.getLogger(__name__)

STRETCH = 512

_BEHIND = """
select h.organization_id
  from heads h
 where h.position > 0
   and not exists (select from cursors c
                    where c.organization_id = h.organization_id and c.read_model = %s and c.position >= h.position)
"""
_CURSOR = """
select c.position, c.epoch, h.position
  from cursors c
  join heads h on h.organization_id = c.organization_id
 where c.organization_id = %s and c.read_model = %s
   for update of c
"""
_BEGIN = """
insert into cursors (organization_id, read_model, position, epoch) values (%s, %s, 0, %s)
on conflict do nothing
"""
_MOVE = """
update cursors set position = %s, epoch = %s, moved_at = now()
 where organization_id = %s and read_model = %s
"""


class Growing:
    """What a projector does for the trees, a stretch at a time."""

    def __init__(self) -> None:
        self._behind: dict[str, None] = {}
        self._stuck: dict[str, str] = {}

    def look(self, connection: Connection[Any]) -> None:
        """Find the trees that lack events."""
        self._behind |= {row[0]: None for row in connection.execute(_BEHIND, (NAME,))}

    def step(self, connection: Connection[Any], epoch: int) -> bool:
        """Grow one tree by one stretch of a few milliseconds; whether there is more to do. Raises Deposed.

        `epoch` is that of the projector's lease.
        """
        if self._behind:
            organization_id = next(iter(self._behind))
            del self._behind[organization_id]
            if self._grow(connection, organization_id, epoch):
                self._behind[organization_id] = None  # after the others
        return bool(self._behind)

    def _grow(self, connection: Connection[Any], organization_id: str, epoch: int) -> bool:
        """False where there is nothing more to take, or nothing more can be taken."""
        with connection.transaction():
            size, head = _place(connection, organization_id, epoch)
            if size >= head:
                return False
            try:
                added, tiles = _next(connection, organization_id, size, min(head, size + STRETCH))
            except (Missing, Broken) as broken:
                self._tell(organization_id, str(broken))
                return False
            keep(connection, organization_id, tiles)
            connection.execute(_MOVE, (size + added, epoch, organization_id, NAME))
        self._stuck.pop(organization_id, None)
        return True

    def _tell(self, organization_id: str, why: str) -> None:
        """Once, not at every look."""
        if self._stuck.get(organization_id) != why:
            self._stuck[organization_id] = why
            log.error("the tree of %s cannot grow: %s", organization_id, why)


class Broken(Exception):
    """The log has a fault a tree cannot be grown over."""


def _next(connection: Connection[Any], organization_id: str, size: int, upto: int) -> tuple[int, dict[Place, bytes]]:
    """How many events come next, up to the first that is at fault, and the tiles as they become. Raises Broken."""
    rows = exhibits(connection, organization_id, size, upto)
    if (fault := out_of_order(rows, size, upto, None)) is not None:
        rows = rows[: fault.position - size - 1]
        if not rows:
            raise Broken(str(fault))
    leaves = Leaves(organization_id)
    added = [row.leaf(leaves) for row in rows]
    return len(added), dict(grown(size, last_tiles(connection, organization_id, size), added))


def _place(connection: Connection[Any], organization_id: str, epoch: int) -> tuple[int, int]:
    """How far the tree has come, and how far the log."""
    found = connection.execute(_CURSOR, (organization_id, NAME)).fetchone()
    if found is None:
        connection.execute(_BEGIN, (organization_id, NAME, epoch))
        found = connection.execute(_CURSOR, (organization_id, NAME)).fetchone()
    assert found is not None  # every organisation that is behind has a head
    size, held, head = found
    if held > epoch:
        raise Deposed
    return size, head
