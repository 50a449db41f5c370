"""Are the read tables what the log says? Each is folded anew at the position it stands at, and compared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from application.postgres.connections import Role, conninfo
from projections.read_models import READ_MODELS
from projections.shadow import Drift, Progress, compare, create_temporary, fill, shadow_of
from projections.table import ReadModel

_PLACES = """
select organization_id, position from cursors where read_model = %s order by organization_id
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared for one organisation and read model, and what was found."""

    read_model: str
    organization_id: str
    position: int
    rows: int
    drift: list[Drift]
    wrong_counts: int = 0


def chosen(names: Iterable[str]) -> list[ReadModel]:
    """The read models of these names; all of them when none is named. Raises KeyError with an unknown name."""
    return [READ_MODELS[name] for name in names] or list(READ_MODELS.values())


def verify(dsn: str, models: Iterable[ReadModel], told: Progress) -> Iterator[Verdict]:
    """Compare in one snapshot for each read model; live traffic goes on undisturbed."""
    for model in models:
        with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            yield from _verify(connection, model, told)


def _verify(connection: Connection[Any], model: ReadModel, told: Progress) -> Iterator[Verdict]:
    connection.execute("set local statement_timeout = 0")
    shadow = shadow_of(model)
    places = connection.execute(_PLACES, (model.name,)).fetchall()
    create_temporary(connection, model, shadow)
    for organization_id, position in places:
        rows = fill(connection, shadow, organization_id, position, told)
        drift = compare(connection, model, shadow, organization_id)
        wrong = 0 if model.counts is None else model.counts.wrong(connection, organization_id)
        yield Verdict(model.name, organization_id, position, rows, drift, wrong)
