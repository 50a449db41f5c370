"""Are the read tables what the log says? Each is folded anew at the position it stands at, and compared."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from application.postgres.connections import Role, conninfo
from projections.read_model import ReadModel
from projections.read_models import READ_MODELS
from projections.shadow import Drift, Progress, Source, compare, create_temporary, fill, shadow_of

_PLACES = """
select organization_id, position, read_model from cursors
 where read_model = any(%s)
 order by organization_id, position, read_model
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
    """Compare in one snapshot; live traffic goes on undisturbed."""
    by_name = {model.name: model for model in models}
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("set local statement_timeout = 0")
        places = connection.execute(_PLACES, (list(by_name),)).fetchall()
        for model in by_name.values():
            create_temporary(connection, model, shadow_of(model))
        for (organization_id, position), together in groupby(places, key=lambda place: place[:2]):
            standing = [by_name[name] for _, _, name in together]
            yield from _verify(connection, standing, organization_id, position, told)


def _verify(
    connection: Connection[Any], models: list[ReadModel], organization_id: str, position: int, told: Progress
) -> Iterator[Verdict]:
    """Of read models that stand at the same position: the log is folded once for all of them."""
    source = Source(connection, organization_id, position)
    made = fill(connection, [shadow_of(model) for model in models], source, told)
    for model in models:
        drift = compare(connection, model, shadow_of(model), organization_id)
        wrong = 0 if model.counts is None else model.counts.wrong(connection, organization_id)
        yield Verdict(model.name, organization_id, position, made[shadow_of(model).name], drift, wrong)
