"""What the signer reads of the database, and the little it writes there: checkpoints, alarms, and how it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from application.event_store.evidence import Fault
from projections.audit_tree.tiles import NAME

_TREES = """
select h.organization_id, h.position, coalesce(c.position, 0), c.moved_at
  from heads h
  left join cursors c on c.organization_id = h.organization_id and c.read_model = %s
 order by h.organization_id
"""
_REGISTER = "insert into audit_signer (name, origin, public_key) values ('signer', %s, %s) on conflict do nothing"
_TAKE_OVER = "update audit_signer set origin = %s, public_key = %s where name = 'signer'"
_REGISTERED = "select origin, public_key from audit_signer where name = 'signer'"
_SAY = "update audit_signer set unsigned = %s, alarms = %s, said_at = clock_timestamp() where name = 'signer'"
_PUBLISH = """
insert into audit_checkpoints (organization_id, size, root, note) values (%s, %s, %s, %s)
on conflict (organization_id, size) do update
   set root = excluded.root, note = excluded.note, signed_at = clock_timestamp()
"""
_THIN = """
delete from audit_checkpoints a
 using (select size,
               date_trunc('hour', signed_at) = date_trunc('hour', lead(signed_at) over (order by size)) as followed
          from audit_checkpoints
         where organization_id = %(organization_id)s
           and signed_at < clock_timestamp() - interval '1 day' and signed_at > clock_timestamp() - interval '2 days') b
 where a.organization_id = %(organization_id)s and a.size = b.size and b.followed
"""
_LATEST = "select note from audit_checkpoints where organization_id = %s order by size desc limit 1"
_CHECKPOINTS = "select note from audit_checkpoints where organization_id = %s order by size"
_ALARM = """
insert into audit_alarms as a (organization_id, position, reason) values (%s, %s, %s)
on conflict (organization_id) do update
   set position = excluded.position, reason = excluded.reason, found_at = excluded.found_at
 where (a.position, a.reason) is distinct from (excluded.position, excluded.reason)
"""
_ALL_CLEAR = "delete from audit_alarms where organization_id = %s"


@dataclass(frozen=True, slots=True)
class Tree:
    """How far an organisation's log and its tree have come."""

    organization_id: str
    head: int
    size: int
    moved_at: datetime | None


def trees(connection: Connection[Any]) -> list[Tree]:
    return [Tree(*row) for row in connection.execute(_TREES, (NAME,))]


def registered(connection: Connection[Any], origin: str, public_key: bytes) -> bool:
    """Whether this is the key that signs here. Of a database where none does yet it becomes the one."""
    connection.execute(_REGISTER, (origin, public_key))
    return registered_signer(connection) == (origin, public_key)


def registered_signer(connection: Connection[Any]) -> tuple[str, bytes] | None:
    """What origins begin with, and the key that signs here, as the database has it."""
    row = connection.execute(_REGISTERED).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def take_over(connection: Connection[Any], origin: str, public_key: bytes) -> None:
    """From now on this is the key that signs here."""
    connection.execute(_TAKE_OVER, (origin, public_key))


def say(connection: Connection[Any], *, unsigned: int, alarms: int) -> None:
    connection.execute(_SAY, (unsigned, alarms))


def publish(connection: Connection[Any], organization_id: str, size: int, root: bytes, note: str) -> None:
    """Show a checkpoint. Of those older than a day, one an hour stays: any two sizes can be proved consistent."""
    connection.execute(_PUBLISH, (organization_id, size, root, note))
    connection.execute(_THIN, {"organization_id": organization_id})


def latest(connection: Connection[Any], organization_id: str) -> str | None:
    """The note of the latest checkpoint published."""
    row = connection.execute(_LATEST, (organization_id,)).fetchone()
    return None if row is None else row[0]


def checkpoints(connection: Connection[Any], organization_id: str) -> Iterable[str]:
    """The notes of all checkpoints published, the smallest first."""
    return [row[0] for row in connection.execute(_CHECKPOINTS, (organization_id,))]


def alarm(connection: Connection[Any], organization_id: str, fault: Fault) -> None:
    connection.execute(_ALARM, (organization_id, fault.position, fault.reason))


def all_clear(connection: Connection[Any], organization_id: str) -> None:
    connection.execute(_ALL_CLEAR, (organization_id,))
