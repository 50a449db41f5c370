"""Bringing one organisation's read tables up to its log: a stretch at a time, tables and cursor in one transaction."""

import time
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import psycopg
from psycopg import Connection

from application import tracing
from application.event_store import reading
from projections.folding import Fold, Folder, Poison
from projections.table import ReadModel

STRETCH = 1000

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
_PARKED = "select originator_id from parked where organization_id = %s"
_PARK = """
insert into parked (organization_id, originator_id, position, topic, reason)
values (%s, %s, %s, %s, %s)
on conflict do nothing
"""


_DATA = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)


class Deposed(Exception):
    """A newer projector has taken over; this one must not write any more."""


def of_the_data(error: Exception) -> bool:
    """Whether what was to be written is at fault, and neither the database nor its tables."""
    return isinstance(error, _DATA) or not isinstance(error, psycopg.Error)


class Moved(IntEnum):
    """How far a stretch led: what is nowhere counts as False."""

    NOWHERE = 0
    ON = 1
    TO_THE_HEAD = 2


class CatchingUp:
    """What a projector does for an organisation. `epoch` is that of its lease."""

    def __init__(self, models: Mapping[str, ReadModel], folder: Folder) -> None:
        self._models = models
        self._folder = folder

    def advance(self, connection: Connection[Any], organization_id: str, epoch: int, upto: int | None = None) -> Moved:
        """Move read models by one stretch; nowhere once all are at the head (or `upto`).

        Those nearest to the head come first: one that is new, or was away, catches up while the others are at the head.
        """
        began = time.perf_counter()
        with connection.transaction():
            behind, position, upto = self._place(connection, organization_id, epoch, upto)
            if not behind:
                return Moved.NOWHERE
            rows = reading.after(connection, organization_id, position, upto)
            parked = {row[0] for row in connection.execute(_PARKED, (organization_id,))}
            fold = self._folder.fold(connection, organization_id, rows, without=parked)
            self._write(connection, organization_id, behind, fold)
            for poison in fold.poison:
                self._park(connection, organization_id, poison)
            connection.execute(_MOVE, (rows[-1].position, epoch, organization_id, behind))
            connection.execute("select pg_notify('activities_projected', %s)", (organization_id,))
            ids = [] if tracing.spans is None else reading.commands(connection, organization_id, position, upto)
        self._folder.keep(organization_id, fold)
        if tracing.spans is not None:
            about = {"activities.read_models": behind, "activities.events": len(rows)}
            tracing.spans.project(organization_id, ids, time.perf_counter() - began, about)
        return Moved.ON if upto - position == STRETCH else Moved.TO_THE_HEAD

    def _place(
        self, connection: Connection[Any], organization_id: str, epoch: int, upto: int | None
    ) -> tuple[list[str], int, int]:
        """Which models to move, where they stand, and how far to go with them now."""
        mine = list(self._models)
        cursors = connection.execute(_CURSORS, (organization_id, mine)).fetchall()
        if len(cursors) < len(mine):
            connection.execute(_BEGIN, (epoch, mine, organization_id))
            cursors = connection.execute(_CURSORS, (organization_id, mine)).fetchall()
        if not cursors:  # anybody may notify of anything: there is no such organisation
            return [], 0, 0
        if any(held > epoch for _, _, held, _ in cursors):
            raise Deposed
        places = {model: position for model, position, _, _ in cursors}
        head = cursors[0][3] if upto is None else min(upto, cursors[0][3])
        behind = [place for place in places.values() if place < head]
        if not behind:
            return [], head, head
        position = max(behind)
        return [model for model, place in places.items() if place == position], position, min(head, position + STRETCH)

    def _write(self, connection: Connection[Any], organization_id: str, models: list[str], fold: Fold) -> None:
        """Write all states at once; if a table cannot take them, one by one, parking the culprits."""
        try:
            with connection.pipeline() as pipeline, connection.transaction():
                for model in models:
                    self._models[model].write(connection, organization_id, fold.states, fold.before, fold.steps)
                pipeline.sync()  # what a table cannot take shows here
        except Exception as error:
            if not of_the_data(error):
                raise
            self._write_singly(connection, organization_id, models, fold)

    def _write_singly(self, connection: Connection[Any], organization_id: str, models: list[str], fold: Fold) -> None:
        for key, state in list(fold.states.items()):
            try:
                with connection.transaction():
                    before, steps = {key: fold.before[key]}, {key: fold.steps[key]}
                    for model in models:
                        self._models[model].write(connection, organization_id, {key: state}, before, steps, again=True)
            except Exception as error:
                if not of_the_data(error):
                    raise
                del fold.states[key]
                first, reason = fold.first[key], f"{type(error).__name__}: no read table can hold it"
                fold.poison.append(Poison(key, first.position, first.topic, reason))

    def _park(self, connection: Connection[Any], organization_id: str, poison: Poison) -> None:
        connection.execute(_PARK, (organization_id, poison.key, poison.position, poison.topic, poison.reason))
