"""A read model: what states mean for a table, and what is to be written when they change. Touches no database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.event_store.mapper import State
from domain.erasure.erasures import Erasures
from projections.counts import Counts, Row
from projections.folding import Step
from projections.statement import Statement
from projections.table import Key, Table

RowOf = Callable[[str, UUID, Any], Row | None]
Steps = Mapping[UUID, Sequence[Step]]
Aside = Callable[[str, Sequence[Any]], Iterator[Statement]]


@dataclass(frozen=True)
class ReadModel:
    """A fold of states into a table: `row` says what a state of kind `of` means, None that it means no row.

    A state is not written that differs from the one before in nothing the row `depends_on` (the names of attributes;
    none: on everything). `counts` are moved with the rows: `counted` says what a state counts as, in each of what it
    yields. `aside` may write what the table alone does not hold; `sweep` takes out of that what nothing needs any
    more, once somebody's data were erased. With `each_step` there is a row a fact: `row` is given each Step, and the
    table's key is its position.
    """

    table: Table
    of: type[Any]
    row: RowOf
    depends_on: tuple[str, ...] = ()
    aside: Aside = lambda organization_id, states: iter(())
    sweep: Callable[[str], Statement] | None = None
    counts: Counts | None = None
    counted: Callable[[Any], Iterable[tuple[Any, ...]]] = lambda state: ()
    each_step: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    def rows(self, organization_id: str, states: Mapping[UUID, State], steps: Steps) -> dict[Key, Row | None]:
        """What these states mean, or the steps that led to them."""
        mine = {key: state for key, state in states.items() if isinstance(state, self.of)}
        if self.each_step:
            return {s.position: self.row(organization_id, key, s) for key in mine for s in steps[key]}
        return {key: self.row(organization_id, key, state) for key, state in mine.items()}

    def statements(
        self,
        organization_id: str,
        states: Mapping[UUID, State],
        before: Mapping[UUID, State | None],
        steps: Steps,
        *,
        again: bool = False,
    ) -> Iterator[Statement]:
        """What makes the table say what these states say; it says what the states `before` say.

        `again`: some of these steps may have been written already.
        """
        changed = {
            key: state
            for key, state in states.items()
            if isinstance(state, self.of) and not self._says_the_same(before.get(key), state)
        }
        rows = self.rows(organization_id, changed, steps)
        if not again:
            new = list(rows) if self.each_step else [key for key in changed if before.get(key) is None]
            yield from self.table.append([row for key in new if (row := rows.pop(key)) is not None])
        yield from self.table.replace(organization_id, rows)
        if self.counts is not None:
            gone = [before[key] for key in changed if before.get(key) is not None]
            yield from self.counts.move(organization_id, self._counted(gone), self._counted(changed.values()))
        yield from self.aside(organization_id, list(changed.values()))
        if self.sweep is not None and any(isinstance(state, Erasures) for state in states.values()):
            yield self.sweep(organization_id)

    def _says_the_same(self, before: State | None, state: State) -> bool:
        if before is None or not self.depends_on:
            return False
        return all(getattr(before, name) == getattr(state, name) for name in self.depends_on)

    def _counted(self, states: Iterable[State | None]) -> Iterator[tuple[Any, ...]]:
        return (values for state in states for values in self.counted(state))
