"""Build read tables anew beside the live ones, compare, and switch, while everything goes on.

The log is folded once, however many tables are built. Until its switch a live table serves, whatever becomes of the
rebuild; after it the old one is kept for a roll-back. The only thing that ever waits is the projector, for the moment
of the switch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.sql import SQL, Identifier

from application.postgres.connections import Role, conninfo
from application.postgres.migrations import SCHEMA
from projections.catching_up import CatchingUp
from projections.filling import Filling
from projections.folding import Folder
from projections.guards import guard_alike
from projections.indexes import index_alike
from projections.read_model import ReadModel
from projections.shadow import Progress, compare, shadow_of
from projections.verify import Verdict
from projections.views import point_to_names, views_over

PREVIOUS = "previous"
_TRIES = 60
_PAUSE = 0.8
"""In all it outlasts the longest statement of an analyst."""

_CREATE = """
drop table if exists {shadow};
create table {shadow} (like {live} including all excluding indexes);
grant select, insert, update, delete on {shadow} to activities_projector;
"""
_PLACES = """
select organization_id, min(position)
  from cursors
 where read_model = any(%s)
 group by organization_id
 order by organization_id
"""
_PLACE = """
insert into cursors (organization_id, read_model, position, epoch) values (%s, %s, %s, 0)
on conflict (organization_id, read_model) do update set position = excluded.position, epoch = 0
"""
_FORGET = "delete from cursors where read_model = %s"
_LIVE = "select position from cursors where organization_id = %s and read_model = %s for update"
_BEHIND = """
select s.organization_id, l.position
  from cursors l
  join cursors s on s.organization_id = l.organization_id and s.read_model = %s
 where l.read_model = %s and s.position < l.position
union all
select l.organization_id, l.position
  from cursors l
 where l.read_model = %s
   and not exists (select from cursors s where s.organization_id = l.organization_id and s.read_model = %s)
"""


class NoPrevious(Exception):
    """There is no earlier table to roll back to."""


class Rebuild:
    """The rebuild of one read model, or of several together."""

    def __init__(self, dsn: str, *models: ReadModel) -> None:
        self._dsn = dsn
        self._models = models

    def run(self, told: Progress, processes: int | None = None) -> list[Verdict]:
        """Build, compare, switch. The verdicts tell in which rows a table replaced was not what the log says."""
        verdicts: list[Verdict] = []
        with self._owner() as owner, self._worker() as worker:
            self._build(owner, worker, told, processes)
            for model in self._models:
                places = worker.execute(_PLACES, ([model.name],)).fetchall()
                found = [self._compared(worker, model, organization_id) for organization_id, _ in places]
                self._switch(owner, model, shadow_of(model), recount=any(v.drift or v.wrong_counts for v in found))
                verdicts += found
        return verdicts

    def roll_back(self) -> None:
        """Take the previous tables back, brought up to date. Raises NoPrevious, and changes nothing then."""
        with self._owner() as owner:
            for model in self._models:
                if owner.execute("select to_regclass(%s)", (shadow_of(model, PREVIOUS).name,)).fetchone() == (None,):
                    raise NoPrevious
            for model in self._models:
                previous = shadow_of(model, PREVIOUS)
                _guard(owner, model, previous)
                self._switch(owner, model, previous, recount=True)

    def _build(self, owner: Connection[Any], worker: Connection[Any], told: Progress, processes: int | None) -> None:
        """Shadows that hold what the logs say up to where the live tables stand: what is parked by then is known."""
        names = [model.name for model in self._models]
        for model in self._models:
            _create(owner, model, shadow_of(model))
        for organization_id, position in worker.execute(_PLACES, (names,)).fetchall():
            Filling(self._dsn, names, organization_id, position).run(told, processes)
            for model in self._models:
                worker.execute(_PLACE, (organization_id, shadow_of(model).name, position))
        for model in self._models:
            index_alike(owner, model.name, shadow_of(model).name)
            _guard(owner, model, shadow_of(model))

    @contextmanager
    def _owner(self) -> Iterator[Connection[Any]]:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(SQL("set search_path = {}, public").format(Identifier(SCHEMA)))
            yield connection

    @contextmanager
    def _worker(self) -> Iterator[Connection[Any]]:
        with psycopg.connect(conninfo(self._dsn, Role.PROJECTOR), autocommit=True) as connection:
            yield connection

    def _compared(self, worker: Connection[Any], model: ReadModel, organization_id: str) -> Verdict:
        """Bring the shadow to where the live table stands, and compare the two in one snapshot of that moment."""
        shadow = shadow_of(model)
        with self._worker() as holder, self._worker() as snapshot:
            snapshot.isolation_level = IsolationLevel.REPEATABLE_READ
            with snapshot.transaction():
                with holder.transaction():  # while this holds the live cursor, the projector waits
                    position = _live_position(holder, model, organization_id)
                    _catch_up(worker, shadow, organization_id, position)
                    snapshot.execute("set local statement_timeout = 0")
                    count = SQL("select count(*) from {} where organization_id = %s")
                    counting = snapshot.execute(count.format(Identifier(shadow.name)), (organization_id,))
                    rows = int(counting.fetchall()[0][0])
                drift = compare(snapshot, model, shadow, organization_id)
                wrong = 0 if model.counts is None else model.counts.wrong(snapshot, organization_id)
        return Verdict(model.name, organization_id, position, rows, drift, wrong)

    def _switch(self, owner: Connection[Any], model: ReadModel, successor: ReadModel, *, recount: bool) -> None:
        """In one transaction; a lock that cannot be had soon is let go and tried again, a bounded number of times."""
        for tried in range(_TRIES):
            try:
                with owner.transaction():
                    _take_over(owner, model, successor)
                    if recount and model.counts is not None:
                        owner.execute("set local role activities_projector")
                        model.counts.recount(owner)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                if tried == _TRIES - 1:
                    raise
                time.sleep(_PAUSE)
            else:
                return


def _create(owner: Connection[Any], model: ReadModel, shadow: ReadModel) -> None:
    with owner.transaction():
        owner.execute(SQL(_CREATE).format(shadow=Identifier(shadow.name), live=Identifier(model.name)))
        owner.execute("set local role activities_projector")
        owner.execute(_FORGET, (shadow.name,))


def _guard(owner: Connection[Any], model: ReadModel, successor: ReadModel) -> None:
    """Not before it is filled: COPY is not for tables under row-level security. None but the projector saw it."""
    with owner.transaction():
        guard_alike(owner, model.name, successor.name)


def _live_position(connection: Connection[Any], model: ReadModel, organization_id: str) -> int:
    row = connection.execute(_LIVE, (organization_id, model.name)).fetchone()
    return 0 if row is None else int(row[0])


def _catch_up(connection: Connection[Any], shadow: ReadModel, organization_id: str, upto: int) -> None:
    catching_up = CatchingUp({shadow.name: shadow}, Folder())
    while catching_up.advance(connection, organization_id, epoch=0, upto=upto):
        pass


def _take_over(owner: Connection[Any], model: ReadModel, successor: ReadModel) -> None:
    live, previous = model.name, shadow_of(model, PREVIOUS).name
    owner.execute("set local lock_timeout = '1s'")
    owner.execute("lock table cursors in exclusive mode")  # a projector waits before it locks anything itself
    owner.execute("set local role activities_projector")
    owner.execute("update cursors set epoch = 0 where read_model = %s", (successor.name,))
    names = (successor.name, live, live, successor.name)
    for organization_id, position in owner.execute(_BEHIND, names).fetchall():
        _catch_up(owner, successor, organization_id, position)
    _rename_cursors(owner, successor.name, live, previous)
    owner.execute("reset role")
    views = views_over(owner, live)
    owner.execute("set local lock_timeout = '200ms'")  # whoever reads waits as long
    _rename_tables(owner, successor.name, live, previous)
    point_to_names(owner, views)


def _rename_cursors(owner: Connection[Any], successor: str, live: str, previous: str) -> None:
    if successor != previous:
        owner.execute(_FORGET, (previous,))
    rename = "update cursors set read_model = %s where read_model = %s"
    for name, becomes in ((successor, "taking over"), (live, previous), ("taking over", live)):
        owner.execute(rename, (becomes, name))


def _rename_tables(owner: Connection[Any], successor: str, live: str, previous: str) -> None:
    if successor != previous:
        owner.execute(SQL("drop table if exists {}").format(Identifier(previous)))
    for name, becomes in ((successor, "taking_over"), (live, previous), ("taking_over", live)):
        owner.execute(SQL("alter table {} rename to {}").format(Identifier(name), Identifier(becomes)))
