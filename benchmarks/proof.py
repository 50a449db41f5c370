"""`python -m benchmarks.proof [--events N]`: what proofs cost, over a log of a million events in a database of its own.

It prints how long it takes to grow the tree, to sign it, to export the log, to verify the export offline by its own
verify.py, and to make and verify one proof (the statements of the API, and the arithmetic).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb
from ulid import ULID

from api.commands.audit.exporting import export
from application.event_store.mapper import encode
from application.postgres.connections import Role, conninfo
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import migrate
from application.proof.merkle import includes, inclusion
from domain.activity.events import Created
from domain.vocabulary import ActivityType, RelatedType
from projections.audit_tree.growing import Growing
from projections.audit_tree.tiles import nodes_for
from projections.signing.custody import Custody
from projections.signing.signer import Signer

ORGANIZATION = "acme"
AT_ONCE = 5_000
PROOFS = 1_000
_APPEND = "select append_events(%s, %s, %s, %s, %s, %s, %s)"
_CONFINE = "select set_config('activities.organization_id', %s, true)"


def main() -> int:
    parser = argparse.ArgumentParser(description="What proofs cost.")
    parser.add_argument("--events", type=int, default=1_000_000)
    events: int = parser.parse_args().events
    home = Path(tempfile.mkdtemp(prefix="activities-proof-"))
    try:
        with EmbeddedPostgres(home / "data") as server:
            migrate(server.dsn())
            measure(server.dsn(), home, events)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


def measure(dsn: str, home: Path, events: int) -> None:
    with timed(f"record {events:,} events"):
        fill(dsn, events)
    with timed("grow the tree over them"):
        grow(dsn)
    custody = Custody(home / "signer", "activities")
    with timed("derive every leaf anew, and sign"), connected(dsn, Role.SIGNER) as connection:
        Signer(dsn, custody, threading.Event(), 1.0).round(connection)
    with timed("export"):
        export(dsn, ORGANIZATION, home / "bundle", first=1, last=None, known=None)
    with timed("verify offline (verify.py)"):
        verify(home / "bundle", str(custody.verifier(ORGANIZATION)))
    prove(dsn, events)


@contextmanager
def timed(what: str) -> Iterator[None]:
    began, worked = time.perf_counter(), processor_seconds()
    yield
    took, own = time.perf_counter() - began, processor_seconds() - worked
    print(f"{what}: {took:.1f} s, {own:.1f} s of them ours on a processor", flush=True)


def processor_seconds() -> float:
    """Of this process and of those it waited for; a busy machine hardly changes it."""
    return sum(os.times()[:4])


@contextmanager
def connected(dsn: str, role: Role) -> Iterator[Connection[Any]]:
    with psycopg.connect(conninfo(dsn, role), autocommit=True) as connection:
        yield connection


def fill(dsn: str, events: int) -> None:
    began = datetime.now(UTC) - timedelta(days=365)
    with connected(dsn, Role.WRITER) as connection:
        for first in range(0, events, AT_ONCE):
            at = began + timedelta(seconds=first)
            made = [created(number, at) for number in range(first, min(first + AT_ONCE, events))]
            keys = [UUID(int=number + 1) for number in range(first, first + len(made))]
            topics = [event.name for event in made]
            said = [Jsonb({"actor": "u-1", "command_id": str(ULID()), "correlation_id": str(ULID())}) for _ in made]
            columns = (keys, [1] * len(made), topics, [encode(event) for event in made], said)
            connection.execute(_APPEND, (ORGANIZATION, at, *columns))


def created(number: int, at: datetime) -> Created:
    return Created(
        at=at,
        id=str(ULID.from_int(number + 1)),
        created_by="u-1",
        type=ActivityType.CALL,
        subject=f"Call {number} about the renewal",
        description="Discuss the proposal, and what they need to decide before the end of the quarter.",
        activityable_type=RelatedType.OPPORTUNITY,
        activityable_id="big-deal",
        assigned_user_id="u-1",
        due_at=at + timedelta(days=7),
        duration_minutes=30,
    )


def grow(dsn: str) -> None:
    growing = Growing()
    with connected(dsn, Role.PROJECTOR) as connection:
        growing.look(connection)
        while growing.step(connection, epoch=1):
            pass


def verify(bundle: Path, key: str) -> None:
    command = [sys.executable, "-I", "-S", str(bundle / "verify.py"), "--key", key]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def prove(dsn: str, events: int) -> None:
    """One proof after the other, each of another event, each verified."""
    chance = Random(9162)  # noqa: S311
    taken: list[float] = []
    with connected(dsn, Role.READER) as connection:
        for _ in range(PROOFS):
            index, began = chance.randrange(events), time.perf_counter()
            with connection.transaction():
                connection.execute(_CONFINE, (ORGANIZATION,))
                proof: Callable[..., list[bytes]] = partial(inclusion, index, events)
                node = nodes_for(connection, ORGANIZATION, proof, lambda node, index=index: node(0, index))
                row = connection.execute("select root from audit_checkpoints order by size desc limit 1").fetchone()
            assert row is not None  # it was just signed
            assert includes(index, node(0, index), events, proof(node), bytes(row[0]))
            taken.append(time.perf_counter() - began)
    p50, p95, p99 = (quantiles(taken, n=100)[at] * 1000 for at in (49, 94, 98))
    print(f"one proof, made and verified: {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
