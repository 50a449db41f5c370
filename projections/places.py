"""Where an organisation's read models stand in its log: the cursors, and who may move them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from projections.lease import Deposed

_CURSORS = """
select c.read_model, c.position, c.epoch, h.position
  from cursors c
  join heads h on h.organization_id = c.organization_id
 where c.organization_id = %s and c.read_model = any(%s)
 order by c.read_model
   for update of c
"""
_BEGIN = """
insert into cursors (organization_id, read_model, position, epoch)
select h.organization_id, model, 0, %s from heads h, unnest(%s::text[]) as model where h.organization_id = %s
on conflict do nothing
"""
_MOVE = """
update cursors set position = %s, epoch = %s, moved_at = now()
 where organization_id = %s and read_model = any(%s)
"""
_SAY = "select pg_notify('activities_projected', %s)"


class Place(NamedTuple):
    """The read models to move now, none where all are at the head; where these stand; and where the log ends."""

    behind: list[str]
    position: int
    head: int


def place_of(
    connection: Connection[Any], organization_id: str, models: list[str], epoch: int, upto: int | None = None
) -> Place:
    """Nobody else moves the cursors until the transaction ends. Those nearest to the head (or `upto`) come first."""
    cursors = connection.execute(_CURSORS, (organization_id, models)).fetchall()
    if len(cursors) < len(models):
        connection.execute(_BEGIN, (epoch, models, organization_id))
        cursors = connection.execute(_CURSORS, (organization_id, models)).fetchall()
    if not cursors:  # anybody may notify of anything: there is no such organisation
        return Place([], 0, 0)
    if any(held > epoch for _, _, held, _ in cursors):
        raise Deposed
    head = cursors[0][3] if upto is None else min(upto, cursors[0][3])
    behind = [position for _, position, _, _ in cursors if position < head]
    if not behind:
        return Place([], head, head)
    first = max(behind)
    return Place([model for model, position, _, _ in cursors if position == first], first, head)


def move(connection: Connection[Any], organization_id: str, models: Sequence[str], position: int, epoch: int) -> None:
    """They stand there now; whoever waits for that is told."""
    connection.execute(_MOVE, (position, epoch, organization_id, models))
    connection.execute(_SAY, (organization_id,))
