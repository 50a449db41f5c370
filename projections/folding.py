"""From a stretch of the log to the states it leads to, stream by stream, with what could not be folded."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from application.event_store import reading
from application.event_store.keyring import NotLearned
from application.event_store.mapper import State, advance, decode
from application.event_store.reading import Row
from application.streams import StateCache


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that could not be projected, and why."""

    key: UUID
    position: int
    topic: str
    reason: str


class Step(NamedTuple):
    """What one fact did: the state it found, the state it left, what it is called and where it stands in the log."""

    before: State | None
    after: State
    topic: str
    position: int


@dataclass(slots=True)
class Fold:
    """The states of the streams touched, as of the end of the stretch, and as they were before it.

    `steps` are how each of `states` came about within the stretch.
    """

    before: dict[UUID, State | None] = field(default_factory=dict)
    first: dict[UUID, Row] = field(default_factory=dict)
    states: dict[UUID, State] = field(default_factory=dict)
    steps: dict[UUID, list[Step]] = field(default_factory=dict)
    poison: list[Poison] = field(default_factory=list)


class Folder:
    """Folds stretches of one log after the other, keeping the latest states at hand."""

    def __init__(self, cache: StateCache | None = None) -> None:
        self._cache = cache or StateCache()

    def fold(
        self,
        connection: Connection[Any],
        organization_id: str,
        rows: Iterable[Row],
        without: Set[UUID],
        upon: Mapping[UUID, State] | None = None,
    ) -> Fold:
        """Fold a stretch; streams in `without` are passed over (they wait for a retry).

        `upon`: states of the stretch before that are not kept yet.
        """
        by_stream: dict[UUID, list[Row]] = {}
        for row in rows:
            if row.key not in without:
                by_stream.setdefault(row.key, []).append(row)
        fold = Fold()
        known = self._cache.known(organization_id, by_stream)
        if upon is not None:
            known |= {key: upon[key] for key in by_stream.keys() & upon.keys()}
        cold: list[UUID] = []
        for key, stretch in by_stream.items():
            if _follows(known[key], stretch[0]):
                _fold_stream(fold, key, known[key], stretch, stretch[0])
            else:
                cold.append(key)
        if cold:
            self._fold_whole(connection, organization_id, by_stream, cold, fold)
        return fold

    def _fold_whole(
        self,
        connection: Connection[Any],
        organization_id: str,
        by_stream: dict[UUID, list[Row]],
        cold: list[UUID],
        fold: Fold,
    ) -> None:
        upto = max(stretch[-1].position for stretch in by_stream.values())
        whole: dict[UUID, list[Row]] = {key: [] for key in cold}
        for row in reading.streams(connection, organization_id, cold, upto):
            whole[row.key].append(row)
        for key, rows in whole.items():
            _fold_stream(fold, key, None, rows, by_stream[key][0])

    def keep(self, organization_id: str, fold: Fold) -> None:
        """Remember the states once their tables are committed."""
        self._cache.keep(organization_id, fold.states)


def _follows(state: State | None, row: Row) -> bool:
    return (0 if state is None else state.version) == row.version - 1


def _fold_stream(fold: Fold, key: UUID, state: State | None, rows: list[Row], first: Row) -> None:
    """Fold `rows` upon `state`, up to one that cannot be folded; the stretch begins with the row `first`."""
    steps: list[Step] = []
    for row in rows:
        before = state
        if row.version == first.version:
            fold.before[key], fold.first[key] = state, row
        try:
            state = advance(state, decode(row.topic, row.state, (row.key, row.version)), row.position)
        except NotLearned:  # no fault of the stream's
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it parks this stream and no other
            fold.poison.append(Poison(key, row.position, row.topic, f"{type(error).__name__}: cannot be folded"))
            break
        if row.version >= first.version:
            steps.append(Step(before, state, row.topic, row.position))
    if steps and state is not None:
        fold.states[key], fold.steps[key] = state, steps
