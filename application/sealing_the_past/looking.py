"""Where the past of a log is looked for: what the tree does not cover, and the streams there with facts in plain."""

from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store.evidence import TREE
from application.event_store.keyring import SEALED
from application.event_store.mapper import EVENTS
from domain.activity.blanks import BLANKS

_TEXTS = {*BLANKS, "participants", "fields"}
_TOPICS = [name for name, event in EVENTS.items() if _TEXTS & event.model_fields.keys()]

_CONFINE = "select set_config('activities.organization_id', %s, true)"
_HEAD = "select position from heads where organization_id = %s for update"
_TREE = """
insert into cursors (organization_id, read_model, position, epoch) values (%s, %s, 0, 0)
on conflict do nothing
"""
_COVERED = """
select greatest(c.position, (select max(a.size) from audit_checkpoints a where a.organization_id = c.organization_id))
  from cursors c
 where c.organization_id = %s and c.read_model = %s
   for update of c
"""
_STREAMS = """
select u.originator_id, u.first, (select max(e.originator_version) from events e
                                   where e.organization_id = %(organization_id)s and e.originator_id = u.originator_id)
  from (select originator_id, min(position) as first
          from events
         where organization_id = %(organization_id)s and position > %(after)s and position <= %(upto)s
           and topic = any(%(topics)s) and substr(state, 1, %(length)s) <> %(sealed)s
         group by originator_id) u
 order by u.first
"""


def locked(connection: Connection[Any], organization_id: str) -> tuple[int, int]:
    """Where the log ends, and how much of it the tree covers; both stay so until commit.

    The transaction sees this organisation alone from then on.
    """
    connection.execute(_CONFINE, (organization_id,))
    head = connection.execute(_HEAD, (organization_id,)).fetchone()
    connection.execute(_TREE, (organization_id, TREE))
    covered = connection.execute(_COVERED, (organization_id, TREE)).fetchone()
    assert head is not None  # only logs that have events are come to
    assert covered is not None  # it was put there, if it was not
    return int(head[0]), int(covered[0])


def streams_in_plain(
    connection: Connection[Any], organization_id: str, after: int, upto: int, most: int
) -> tuple[list[UUID], int]:
    """The streams that may have something to seal in a stretch, and its end: it ends before more than `most` facts."""
    parameters = {
        "organization_id": organization_id,
        "after": after,
        "upto": upto,
        "topics": _TOPICS,
        "length": len(SEALED),
        "sealed": SEALED,
    }
    streams: list[UUID] = []
    facts = 0
    for key, first, length in connection.execute(_STREAMS, parameters):
        if streams and facts + length > most:
            return streams, first - 1
        streams.append(key)
        facts += length
    return streams, upto
