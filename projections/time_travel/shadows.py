"""The read tables as of a moment, in SQL: each is put before the live one of its name by a WITH clause.

So the very statements that answer for now answer for then. `touched` holds the streams that read otherwise now, and
`then_NAME` their rows as they were; both are temporary and of one connection.
"""

from collections.abc import Iterable

from application.postgres.migrations import SCHEMA
from projections.read_model import ReadModel

TOUCHED = "pg_temp.touched"
_NOW = "now()"

_VISIBLE = f"""(%(auditor)s or not exists (
        select from {SCHEMA}.activity_list gone
         where gone.organization_id = %(organization_id)s and gone.activity_id = a.activity_id
           and gone.deleted_at is not null))"""
"""Activities deleted by now are for auditors, whenever they are asked about."""


def then_name(name: str) -> str:
    return f"pg_temp.then_{name}"


def untouched(key: str) -> str:
    return f"not exists (select from {TOUCHED} t where t.key = {key})"


def visible(key: str) -> str:
    return _VISIBLE if key == "activity_id" else "true"


def shadow(model: ReadModel) -> str:
    """The common table expression that stands for a read table."""
    name, key, columns = model.name, model.table.key, ", ".join(model.table.columns)
    return f"""{name} as not materialized (
    select {columns} from {SCHEMA}.{name} a
     where a.organization_id = %(organization_id)s and {untouched(f"a.{key}")}
    union all
    select {columns} from {then_name(name)} a
     where a.organization_id = %(organization_id)s and {visible(key)}
)"""


def behind_shadows(sql: str, models: Iterable[ReadModel], more: Iterable[str] = ()) -> str:
    """The statement over the tables of then, at the time of day of then."""
    first = ",\n".join([*map(shadow, models), *more])
    return f"with {first}\n{sql.replace(_NOW, '%(judged)s::timestamptz')}"
