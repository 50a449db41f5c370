"""All logs, one after the other, stretch by stretch. It can be cut off anywhere, and is begun again.

Once it came to its end that is on record, and no stored fact is ever touched again: what comes after has receipts.
Before that the table is vacuumed, as its dead rows still say what stood in plain.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg import Connection

from application.event_store.evidence import TREE
from application.event_store.keyring import FINGERPRINT, RING, WrongMasterKey

Telling = Callable[[], AbstractContextManager[Callable[[int], None]]]
"""Entered when there is something to look at; told of every so many events looked at."""

_IS_SEALED = "select exists (select from activities.past where sealed_at is not null)"
_UNCOVERED = """
select h.organization_id, coalesce(c.position, 0)
  from heads h
  left join cursors c on c.organization_id = h.organization_id and c.read_model = %s
 where h.position > coalesce(c.position, 0)
 order by h.organization_id
"""
_BEGUN = "select exists (select from past)"
_SEALED = "insert into past (sealed_at) values (now()) on conflict (one) do update set sealed_at = excluded.sealed_at"


@dataclass(slots=True)
class Sealed:
    """How many facts were sealed. Of the streams `left`, by organisation, some could not be: they stay in plain."""

    facts: int = 0
    left: set[tuple[str, UUID]] = field(default_factory=set)


def seal_the_past(connection: Connection[Any], telling: Telling) -> Sealed:
    """Seal what earlier releases stored in plain, unless that was done. On a connection that commits by itself, of the
    owner of the tables, which is changed for it. Raises WrongMasterKey.
    """
    total = Sealed()
    if connection.execute(_IS_SEALED).fetchone() == (True,):
        return total
    connection.execute("set search_path = activities, public")
    connection.execute("set lock_timeout = '10s'")
    connection.execute("set statement_timeout = 0")
    if logs := _uncovered(connection):
        with telling() as told:
            _refuse_another_key(connection)
            for organization_id, position in logs:
                _seal_log(connection, organization_id, position, total, told)
    if connection.execute(_BEGUN).fetchone() == (True,):
        connection.execute("vacuum (analyze, truncate false) events")
    connection.execute(_SEALED)
    return total


def _seal_log(
    connection: Connection[Any], organization_id: str, position: int, total: Sealed, told: Callable[[int], None]
) -> None:
    from application.sealing_the_past.stretch import seal_stretch  # nearly every start has no need of it

    last = False
    while not last:
        done = seal_stretch(connection, organization_id, position)
        total.facts += done.sealed
        total.left |= {(organization_id, stream) for stream in done.left}
        told(done.position - position)
        position, last = done.position, done.last


def _uncovered(connection: Connection[Any]) -> list[tuple[str, int]]:
    """The logs of which the tree lacks events, each with how much it covers."""
    with connection.transaction():
        connection.execute("set local role activities_projector")  # which row-level security hides no log from
        return connection.execute(_UNCOVERED, (TREE,)).fetchall()


def _refuse_another_key(connection: Connection[Any]) -> None:
    known = connection.execute(FINGERPRINT).fetchone()
    if known is not None and known[0] != RING.fingerprint:
        raise WrongMasterKey
