"""Do a piece of work upon whole logs, on the record.

    with on_record(dsn, organizations, export_of("activities", format="csv")) as work:
        work.rows = write(...)

That it begins stands in each organisation's log before the block is entered; how it ended, once it is left. Work
that is killed stays on record as begun.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from application.command import Actor, Answer, Order, Receipt
from application.desk import Desk
from application.oversight.commands import PutOnRecord, put_on_record
from application.oversight.operator import operator
from application.postgres.connections import Role, conninfo, writer_of
from application.refusals import Unavailable
from application.ulids import new_ulid
from domain.oversight.events import (
    Beginning,
    Ending,
    ExportBegun,
    Exported,
    Failed,
    GrantBegun,
    Granted,
    RebuildBegun,
    Rebuilt,
    ReplayBegun,
    Replayed,
    RevocationBegun,
    Revoked,
    RollBackBegun,
    RolledBack,
)

_ORGANIZATIONS = "select organization_id from heads where position > 0 order by organization_id"
_SOON = datetime(1, 1, 1, tzinfo=UTC)  # stands for the desk's own time until the fact is decided
_AT_ONCE = 64
_LANES = 4


@dataclass(slots=True)
class Work:
    """What the block has to say of its end."""

    id: str
    rows: int = 0
    drift: Counter[str] = field(default_factory=Counter)
    """Rows that were not what history says, by organisation: what is of one is told to no other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a kind of work begins, and how it ends when all goes well."""

    begun: Callable[[str], Beginning]
    ended: Callable[[Work, str], Ending]


def export_of(*what: str, format: str) -> Plan:
    """Something is written out of the service."""
    return Plan(
        lambda id: ExportBegun(at=_SOON, id=id, what=what, format=format),
        lambda work, whose: Exported(at=_SOON, rows=work.rows),
    )


def replay_of(*what: str) -> Plan:
    """History is read as a whole."""
    return Plan(
        lambda id: ReplayBegun(at=_SOON, id=id, what=what),
        lambda work, whose: Replayed(at=_SOON, drift=work.drift[whose]),
    )


def rebuild_of(*read_models: str) -> Plan:
    return Plan(
        lambda id: RebuildBegun(at=_SOON, id=id, what=read_models),
        lambda work, whose: Rebuilt(at=_SOON, drift=work.drift[whose]),
    )


def roll_back_of(*read_models: str) -> Plan:
    return Plan(
        lambda id: RollBackBegun(at=_SOON, id=id, what=read_models),
        lambda work, whose: RolledBack(at=_SOON),
    )


def grant_of(login: str) -> Plan:
    """An analyst is let in."""
    return Plan(
        lambda id: GrantBegun(at=_SOON, id=id, what=(login,)),
        lambda work, whose: Granted(at=_SOON),
    )


def revocation_of(login: str) -> Plan:
    """An analyst is let in no longer."""
    return Plan(
        lambda id: RevocationBegun(at=_SOON, id=id, what=(login,)),
        lambda work, whose: Revoked(at=_SOON),
    )


def every_organization(dsn: str) -> list[str]:
    """Those that have a log."""
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
        return [row[0] for row in connection.execute(_ORGANIZATIONS)]


@contextmanager
def on_record(dsn: str, organizations: Iterable[str], plan: Plan, *, actor: Actor | None = None) -> Iterator[Work]:
    """Put on record in these organisations' logs that the work begins, then how it ended; by default the operator's.

    Raises Unavailable where the beginning cannot be recorded: then the block is not entered.
    """
    whose = sorted(set(organizations))
    who = actor or operator()
    work = Work(new_ulid())
    _record(dsn, whose, who, work.id, lambda one: plan.begun(work.id))
    try:
        yield work
    except BaseException as error:
        failed = Failed(at=_SOON, reason=type(error).__name__)
        with suppress(Unavailable):  # then it stays on record as begun; what went wrong first is what is raised
            _record(dsn, whose, who, work.id, lambda one: failed)
        raise
    _record(dsn, whose, who, work.id, lambda one: plan.ended(work, one))


FactFor = Callable[[str], Beginning | Ending]


def _record(dsn: str, organizations: Sequence[str], actor: Actor, work_id: str, fact_for: FactFor) -> None:
    async def record() -> None:
        async with Desk(writer_of(dsn), lanes=_LANES).opened() as desk:
            for first in range(0, len(organizations), _AT_ONCE):
                together = organizations[first : first + _AT_ONCE]
                await asyncio.gather(*(desk.serve(_order(one, actor, work_id, fact_for(one))) for one in together))

    asyncio.run(record())


def _order(organization_id: str, actor: Actor, work_id: str, fact: Beginning | Ending) -> Order:
    command = PutOnRecord(organization_id=organization_id, actor=actor, work_id=work_id, fact=fact)
    return Order(command, put_on_record, _nothing_to_say)


def _nothing_to_say(receipt: Receipt) -> Answer:
    return Answer(200, b"")
