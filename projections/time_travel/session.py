"""One connection that goes back in time, and what it has folded: kept for the next page of the same moment."""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg import Connection, IsolationLevel

from application.event_store.mapper import ERASURES
from application.history.moments import When
from application.postgres.connections import Role, conninfo
from application.postgres.migrations import SCHEMA
from application.refusals import Unavailable
from domain.refusals import Invalid
from projections.paging import Listing, Place, question
from projections.read_model import ReadModel
from projections.read_models import READ_MODELS
from projections.shadow import copy_rows
from projections.time_travel import searching_then
from projections.time_travel.folding_then import states_then
from projections.time_travel.past import Past, past_of
from projections.time_travel.shadows import TOUCHED, behind_shadows, then_name

FEW = 200
"""So many rows need no statistics."""
MOST_TOUCHED = 1_000_000
"""Streams changed since: more are not folded for one question."""

_SETTINGS = """
set default_transaction_read_only = off;
set statement_timeout = '60s';
set plan_cache_mode = auto;
set enable_seqscan = on;
set enable_hashjoin = on;
set enable_mergejoin = on;
set enable_memoize = on;
"""
"""What is written is temporary; and these statements are large ones, where the readers' are many small ones."""

_BEGIN = "select head, reached from begin_reading(%s, %s)"
_TOUCH = f"""
insert into {TOUCHED} (key)
select distinct originator_id from events where organization_id = %s and position > %s and position <= %s
on conflict do nothing
returning key
"""

_ERASURES = "select count(*) from events where organization_id = %s and originator_id = %s"

_MODELS = {name: model for name, model in READ_MODELS.items() if not model.each_step}
"""Those that say what a state means; what was recorded step by step is not otherwise in hindsight."""
_ALWAYS = frozenset(_MODELS) - {"activity_search"}
"""What is folded anyway, whichever list is asked for first: the next one may be another. Words cost more."""

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a listing, as of a moment. `terms` where it is a search; `auditor`: what is deleted now is shown."""

    organization_id: str
    when: When
    listing: Listing
    place: Place
    terms: Sequence[str] = ()
    auditor: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What the temporary tables hold: the past of an organisation, as far as `head` for these read models."""

    organization_id: str
    past: Past
    floor: int
    head: int
    models: frozenset[str]
    words: bool
    erasures: int
    """How many there were: after the next one, what is held may be of the person erased."""


class Session:
    """Not for two threads at once. Confined, like every reader, to one organisation in each transaction."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.held: Held | None = None
        self.used_at = time.monotonic()
        self._stopped = threading.Event()

    @classmethod
    def opened(cls, dsn: str) -> Self:
        """Raises psycopg.OperationalError."""
        connection = psycopg.connect(conninfo(dsn, Role.READER), autocommit=True, prepare_threshold=None)
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute(_SETTINGS)
        connection.execute("create temporary table touched (key uuid primary key)")
        connection.execute("create temporary table since (word text primary key, n bigint not null)")
        for name in _MODELS:
            connection.execute(f"create temporary table then_{name} (like {SCHEMA}.{name})")
        return cls(connection)

    def close(self) -> None:
        self._connection.close()

    def stop(self) -> None:
        """Have the thread that asks give up soon. For any other thread."""
        self._stopped.set()
        self._connection.cancel()

    def ask(self, asked: Asked) -> Rows:
        """The rows of the listing's own statement. Raises Invalid where too much has changed since."""
        models = [_MODELS[name] for name in asked.listing.read_models]
        held, self.held = self.held, None
        with self._connection.transaction():
            head, reached = self._begin(asked.organization_id, models)
            past = past_of(self._connection, asked.organization_id, asked.when, head)
            held = self._filled(held, asked, past, min(past.since, reached), head, models)
            rows = self._answer(asked, past, models)
        self.held, self.used_at = held, time.monotonic()
        return rows

    def _begin(self, organization_id: str, models: Iterable[ReadModel]) -> tuple[int, int]:
        names = [model.name for model in models]
        row = self._connection.execute(_BEGIN, (organization_id, names)).fetchone()
        assert row is not None  # the function returns one row always
        return row[0] or 0, row[1] or 0

    def _filled(
        self, held: Held | None, asked: Asked, past: Past, floor: int, head: int, models: Sequence[ReadModel]
    ) -> Held:
        """The temporary tables hold the past when this returns: filled anew, or with what was touched meanwhile."""
        names = frozenset(model.name for model in models) | _ALWAYS
        erasures = self._erasures(asked.organization_id)
        if held is None or held.erasures != erasures or not _goes_on(held, asked, past, floor, head, names):
            self._empty()
            held = Held(asked.organization_id, past, floor, floor, names, words=False, erasures=erasures)
        fresh = self._touch(asked.organization_id, held.head, head)
        if fresh:
            self._fold(asked.organization_id, fresh, past, [_MODELS[name] for name in held.models])
        words = held.words and not fresh
        if asked.terms and not words:
            searching_then.learn(self._connection, asked.organization_id)
        return Held(held.organization_id, past, held.floor, head, held.models, words or bool(asked.terms), erasures)

    def _erasures(self, organization_id: str) -> int:
        row = self._connection.execute(_ERASURES, (organization_id, ERASURES)).fetchone()
        assert row is not None  # a count is one row always
        return int(row[0])

    def _empty(self) -> None:
        self._connection.execute(f"truncate {', '.join([TOUCHED, *map(then_name, _MODELS)])}")

    def _touch(self, organization_id: str, after: int, upto: int) -> list[UUID]:
        fresh = [row[0] for row in self._connection.execute(_TOUCH, (organization_id, after, upto))]
        if len(fresh) > MOST_TOUCHED:
            raise Invalid("as_of", f"more than {MOST_TOUCHED} activities and records have changed since")
        return fresh

    def _fold(self, organization_id: str, keys: Sequence[UUID], past: Past, models: Sequence[ReadModel]) -> None:
        for states in states_then(self._connection, organization_id, keys, past):
            if self._stopped.is_set():
                raise Unavailable("The service is stopping")
            for model in models:
                rows = [row for row in model.rows(organization_id, states, {}).values() if row is not None]
                copy_rows(self._connection, model.table.named(f"then_{model.name}"), rows)
        if len(keys) > FEW:
            for table in (TOUCHED, *(then_name(model.name) for model in models)):
                self._connection.execute(f"analyze {table}")

    def _answer(self, asked: Asked, past: Past, models: Sequence[ReadModel]) -> Rows:
        listing, more = asked.listing, []
        parameters: dict[str, Any] = {"judged": past.judged, "auditor": asked.auditor}
        if asked.terms:
            more = [searching_then.FOUND]
            parameters |= searching_then.meant(self._connection, asked.organization_id, asked.terms)
        said = question(listing, asked.place)
        sql = behind_shadows(said.sql, models, more)
        return self._connection.execute(sql, {**said.parameters, **parameters}).fetchall()


def _goes_on(held: Held, asked: Asked, past: Past, floor: int, head: int, names: frozenset[str]) -> bool:
    """Whether what is held will do. By what had happened, what is recorded since may matter: it is folded anew."""
    same = held.organization_id == asked.organization_id and (held.past.upto, held.past.happened) == (
        past.upto,
        past.happened,
    )
    return same and names <= held.models and held.floor <= floor and (past.happened is None or held.head == head)
