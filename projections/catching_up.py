"""Bringing one organisation's read tables up to its log: a stretch at a time, tables and cursor in one transaction."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from enum import IntEnum
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from application import tracing
from application.event_store import reading
from application.event_store.mapper import State
from projections.ahead import Ahead, Prepared, Stretch
from projections.folding import Fold, Folder, Poison
from projections.places import move, place_of
from projections.read_model import ReadModel
from projections.statement import Statement

STRETCH = 1000

_PARKED = "select originator_id from parked where organization_id = %s"
_PARK = """
insert into parked (organization_id, originator_id, position, topic, reason)
values (%s, %s, %s, %s, %s)
on conflict do nothing
"""

_CANNOT_HOLD = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)


def of_the_data(error: Exception) -> bool:
    """Whether what was to be written is at fault, and neither the database nor its tables."""
    return isinstance(error, _CANNOT_HOLD) or not isinstance(error, psycopg.Error)


class Moved(IntEnum):
    """How far a stretch led: what is nowhere counts as False."""

    NOWHERE = 0
    ON = 1
    TO_THE_HEAD = 2


class CatchingUp:
    """What a projector does for an organisation. `epoch` is that of its lease."""

    def __init__(self, models: Mapping[str, ReadModel], folder: Folder, ahead: Ahead | None = None) -> None:
        self._models = models
        self._folder = folder
        self._ahead = ahead

    def advance(self, connection: Connection[Any], organization_id: str, epoch: int, upto: int | None = None) -> Moved:
        """Move read models by one stretch; nowhere once all are at the head (or `upto`).

        Those nearest to the head come first: one that is new, or was away, catches up while the others are at the head.
        """
        began = time.perf_counter()
        with connection.transaction():
            behind, position, head = place_of(connection, organization_id, list(self._models), epoch, upto)
            if not behind:
                return Moved.NOWHERE
            parked = {row[0] for row in connection.execute(_PARKED, (organization_id,))}
            stretch = Stretch(organization_id, behind, position, min(head, position + STRETCH), parked)
            ahead = None if self._ahead is None else self._ahead.taken(stretch)
            fold = self._folded(connection, stretch) if ahead is None else ahead.fold
            with self._meanwhile(stretch, fold, head):
                self._write(connection, stretch, fold, ahead)
            for poison in fold.poison:
                self._park(connection, organization_id, poison)
            move(connection, organization_id, behind, stretch.upto, epoch)
            ids = [] if tracing.spans is None else reading.commands(connection, organization_id, position, stretch.upto)
        self._folder.keep(organization_id, fold)
        if tracing.spans is not None:
            about = {"activities.read_models": behind, "activities.events": stretch.upto - position}
            tracing.spans.project(organization_id, ids, time.perf_counter() - began, about)
        return Moved.ON if stretch.upto - position == STRETCH else Moved.TO_THE_HEAD

    def _folded(self, connection: Connection[Any], stretch: Stretch, upon: Mapping[UUID, State] | None = None) -> Fold:
        """`upon`: states of the stretch before that are not kept yet."""
        rows = reading.after(connection, stretch.organization_id, stretch.position, stretch.upto)
        return self._folder.fold(connection, stretch.organization_id, rows, stretch.without, upon)

    def _statements(self, stretch: Stretch, fold: Fold, *, again: bool = False) -> Iterator[Statement]:
        said = stretch.organization_id, fold.states, fold.before, fold.steps
        for model in stretch.models:
            yield from self._models[model].statements(*said, again=again)

    def _meanwhile(self, stretch: Stretch, fold: Fold, head: int) -> AbstractContextManager[None]:
        """Far behind, the next stretch is prepared while this one is written."""
        if self._ahead is None or not self._ahead.idle or head < stretch.upto + STRETCH:
            return nullcontext()
        without = stretch.without | {poison.key for poison in fold.poison}
        following = replace(stretch, position=stretch.upto, upto=stretch.upto + STRETCH, without=without)
        return self._ahead.preparing(partial(self._prepared, stretch=following, upon=dict(fold.states)))

    def _prepared(self, connection: Connection[Any], stretch: Stretch, upon: Mapping[UUID, State]) -> Prepared:
        fold = self._folded(connection, stretch, upon)
        try:
            return Prepared(stretch, fold, list(self._statements(stretch, fold)))
        except Exception:  # noqa: BLE001  a state that means nothing to a table: it is found when this is written
            return Prepared(stretch, fold, ())

    def _write(self, connection: Connection[Any], stretch: Stretch, fold: Fold, ahead: Prepared | None) -> None:
        """Write all states at once; if a table cannot take them, one by one, parking the culprits."""
        try:
            with connection.pipeline(), connection.transaction():
                for statement in (ahead and ahead.statements) or self._statements(stretch, fold):
                    statement.run(connection)
                # What a table cannot take shows here. Not by `sync()`: that may wait for answers to what was not sent.
                connection.execute("select").fetchall()
        except Exception as error:
            if not of_the_data(error):
                raise
            self._write_singly(connection, stretch, fold)

    def _write_singly(self, connection: Connection[Any], stretch: Stretch, fold: Fold) -> None:
        for key, state in list(fold.states.items()):
            try:
                with connection.transaction():
                    alone = Fold(states={key: state}, before={key: fold.before[key]}, steps={key: fold.steps[key]})
                    for statement in self._statements(stretch, alone, again=True):
                        statement.run(connection)
            except Exception as error:
                if not of_the_data(error):
                    raise
                del fold.states[key]
                first, reason = fold.first[key], f"{type(error).__name__}: no read table can hold it"
                fold.poison = [poison for poison in fold.poison if poison.key != key]  # what comes later waits for this
                fold.poison.append(Poison(key, first.position, first.topic, reason))

    def _park(self, connection: Connection[Any], organization_id: str, poison: Poison) -> None:
        connection.execute(_PARK, (organization_id, poison.key, poison.position, poison.topic, poison.reason))
