"""Views over a table that another takes the place of: they go on asking the table of that name."""

from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

_VIEWS = """
select distinct n.nspname, c.relname, pg_get_viewdef(c.oid), coalesce(array_to_string(c.reloptions, ', '), '')
  from pg_depend d
  join pg_rewrite r on r.oid = d.objid
  join pg_class c on c.oid = r.ev_class and c.relkind = 'v'
  join pg_namespace n on n.oid = c.relnamespace
 where d.classid = 'pg_rewrite'::regclass
   and d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass(%s)
 order by 1, 2
"""

View = tuple[str, str, str, str]
"""Schema, name, definition by the names of its tables, options."""


def views_over(owner: Connection[Any], table: str) -> list[View]:
    """The views that ask `table` themselves. A view binds to a table, not to a name, so ask before renaming."""
    return owner.execute(_VIEWS, (table,)).fetchall()


def point_to_names(owner: Connection[Any], views: list[View]) -> None:
    """Make the views ask the tables that have these names now. Comments and grants stay."""
    for schema, name, definition, options in views:
        owner.execute(
            SQL("create or replace view {} {} as {}").format(
                Identifier(schema, name),
                SQL(f"with ({options})" if options else ""),  # from the catalogue, as the next
                SQL(definition),
            )
        )
