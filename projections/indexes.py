"""The indexes of a table, made on one that is to take its place, over all its rows at once."""

from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

_CONSTRAINTS = """
select pg_get_constraintdef(oid) from pg_constraint
 where conrelid = to_regclass(%s) and conindid <> 0 and contype in ('p', 'u', 'x')
 order by contype
"""
_INDEXES = """
select case when i.indisunique then 'unique' else '' end, split_part(d.definition, ' USING ', 1),
       d.definition
  from pg_index i
 cross join lateral pg_get_indexdef(i.indexrelid) as d (definition)
 where i.indrelid = to_regclass(%s)
   and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
 order by i.indexrelid
"""


def index_alike(owner: Connection[Any], live: str, other: str) -> None:
    """Give `other`, which has none, the keys and indexes of `live`, and the statistics a plan goes by."""
    owner.execute("set maintenance_work_mem = '256MB'")
    for (definition,) in owner.execute(_CONSTRAINTS, (live,)).fetchall():
        owner.execute(SQL("alter table {} add {}").format(Identifier(other), SQL(definition)))  # from the catalogue
    for unique, before, whole in owner.execute(_INDEXES, (live,)).fetchall():
        of = SQL(whole.removeprefix(before))
        owner.execute(SQL("create {} index on {} {}").format(SQL(unique), Identifier(other), of))
    owner.execute("reset maintenance_work_mem")
    owner.execute(SQL("vacuum (analyze) {}").format(Identifier(other)))
