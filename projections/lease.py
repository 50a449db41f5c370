"""Which of several projectors (or signers) works: the one that holds the lease. Each new holder begins a new epoch.

A holder whose connection is gone is dead, and nobody waits for its lease to run out.
"""

import os
import socket
from typing import Any
from uuid import uuid4

from psycopg import Connection

NAME = "projector"
SECONDS = 3.0

_TAKE = """
insert into leases as l (name, holder, backend, epoch, expires_at)
values (%(name)s, %(holder)s, pg_backend_pid(), 1, clock_timestamp() + make_interval(secs => %(seconds)s))
on conflict (name) do update
   set holder = excluded.holder,
       backend = excluded.backend,
       epoch = case when l.holder = excluded.holder then l.epoch else l.epoch + 1 end,
       expires_at = excluded.expires_at
 where l.holder = excluded.holder
    or l.expires_at < clock_timestamp()
    or not exists (select from pg_stat_activity a where a.pid = l.backend)
returning epoch
"""
_RELEASE = "update leases set expires_at = '-infinity' where name = %s and holder = %s"


def this_process() -> str:
    """A holder's name, which no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class Deposed(Exception):
    """A newer projector has taken over; this one must not write any more."""


class Lease:
    """Taken and kept by `hold`; while somebody else has it, `hold` answers None."""

    def __init__(self, holder: str, name: str = NAME) -> None:
        self._holder = holder
        self._name = name

    def hold(self, connection: Connection[Any]) -> int | None:
        """The epoch of our holding, renewed; None while another holds the lease."""
        asked = {"name": self._name, "holder": self._holder, "seconds": SECONDS}
        row = connection.execute(_TAKE, asked).fetchone()
        return None if row is None else int(row[0])

    def release(self, connection: Connection[Any]) -> None:
        """Let a standby take over at once."""
        connection.execute(_RELEASE, (self._name, self._holder))
