"""What a state means for search: its words while it is there, none once it is deleted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.activity.activity import Activity
from projections.activity_search.words import vector, words_of
from projections.table import ReadModel, Table

TABLE = Table("activity_search", "activity_id", ("organization_id", "activity_id", "words"))

_LEARN = """
insert into search_words (organization_id, word)
select %s, word from unnest(%s::text[]) as word
on conflict do nothing
"""

_SWEEP = """
delete from search_words w
 where w.organization_id = %(organization_id)s
   and not exists (
        select from (select distinct lexeme
                       from activity_search s, unnest(s.words)
                      where s.organization_id = %(organization_id)s) used
         where used.lexeme = w.word)
"""


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    if activity.deleted_at is not None:
        return None
    words = vector(activity.subject, activity.description)
    return {"organization_id": organization_id, "activity_id": key, "words": words}


def learn(connection: Connection[Any], organization_id: str, activities: Sequence[Activity]) -> None:
    """Remember every word used, for questions that spell it in part or otherwise."""
    if words := {w for a in activities for w in words_of(f"{a.subject} {a.description or ''}")}:
        connection.execute(_LEARN, (organization_id, sorted(words)))


def sweep(connection: Connection[Any], organization_id: str) -> None:
    """Forget the words nobody uses any more."""
    connection.execute(_SWEEP, {"organization_id": organization_id})


MODEL = ReadModel(TABLE, Activity, row, aside=learn, sweep=sweep)
