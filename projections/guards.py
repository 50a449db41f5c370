"""Who may see which rows of a table: copied from a live table to the one that is to take its place."""

from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier

_SECURED = "select relrowsecurity, relforcerowsecurity from pg_class where oid = to_regclass(%s)"
_POLICIES = """
select policyname, permissive, roles, cmd, qual, with_check
  from pg_policies
 where schemaname = current_schema() and tablename = %s
 order by policyname
"""
_GRANTS = """
select grantee::regrole::text, lower(privilege_type)
  from pg_class, aclexplode(relacl)
 where oid = to_regclass(%s) and grantee <> relowner and grantee <> 0
"""


def guard_alike(owner: Connection[Any], live: str, other: str) -> None:
    """Put `other` under the row-level security `live` is under, and no other, and give it the same grants."""
    for grantee, privilege in owner.execute(_GRANTS, (live,)).fetchall():
        owner.execute(SQL("grant {} on {} to {}").format(SQL(privilege), Identifier(other), SQL(grantee)))
    for name, *_ in owner.execute(_POLICIES, (other,)).fetchall():
        owner.execute(SQL("drop policy {} on {}").format(Identifier(name), Identifier(other)))
    for name, *policy in owner.execute(_POLICIES, (live,)).fetchall():
        owner.execute(_create_policy(name, other, *policy))
    row = owner.execute(_SECURED, (live,)).fetchone()
    assert row is not None  # a read model's table is there
    enabled, forced = row
    if enabled:
        owner.execute(SQL("alter table {} enable row level security").format(Identifier(other)))
    if forced:
        owner.execute(SQL("alter table {} force row level security").format(Identifier(other)))


def _create_policy(
    name: str, table: str, permissive: str, roles: list[str], command: str, using: str | None, check: str | None
) -> Composed:
    """The catalogue's own words, put together again."""
    parts: list[Composable] = [
        SQL("create policy {} on {} as {} for {} to {}").format(
            Identifier(name),
            Identifier(table),
            SQL(permissive),  # from the catalogue, as are the other words here
            SQL(command),
            SQL(", ").join(SQL("public") if role == "public" else Identifier(role) for role in roles),
        )
    ]
    if using is not None:
        parts.append(SQL("using ({})").format(SQL(using)))
    if check is not None:
        parts.append(SQL("with check ({})").format(SQL(check)))
    return SQL(" ").join(parts)
