"""What a state means for search: its words while it is there, none once it is deleted."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from domain.activity.activity import Activity
from projections.activity_search.words import spoken
from projections.counts import Counts
from projections.read_model import ReadModel
from projections.statement import Statement
from projections.table import Table

TABLE = Table("activity_search", "activity_id", ("organization_id", "activity_id", "words"))

_OF = """
select h.organization_id, s.word, s.ndoc::bigint as n
  from heads h
 cross join lateral
       ts_stat('select words from activity_search where organization_id = ' || quote_literal(h.organization_id)) s
"""
COUNTS = Counts("word_totals", {"word": "text"}, _OF)

_LEARN = """
insert into word_keys (organization_id, key, word)
select %(organization_id)s, k.key, said.word
  from unnest(%(words)s::text[]) as said(word)
 cross join lateral word_keys_of(said.word) as k(key)
 where not exists (select from word_keys known
                    where known.organization_id = %(organization_id)s
                      and known.key = '-' || said.word and known.word = said.word)
on conflict do nothing
"""

_SWEEP = """
with gone as (
    delete from word_totals where organization_id = %(organization_id)s and n = 0 returning word
)
delete from word_keys k
 using gone cross join lateral word_keys_of(gone.word) as lost(key)
 where k.organization_id = %(organization_id)s and k.key = lost.key and k.word = gone.word
"""


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    if activity.deleted_at is not None:
        return None
    words = spoken(activity.subject, activity.description).vector
    return {"organization_id": organization_id, "activity_id": key, "words": words}


def counted(activity: Activity) -> Iterator[tuple[str]]:
    """One that says each of its words."""
    if activity.deleted_at is None:
        yield from ((word,) for word in spoken(activity.subject, activity.description).words)


def learn(organization_id: str, activities: Sequence[Activity]) -> Iterator[Statement]:
    """Have every word found that is new, by questions that spell it in part or otherwise.

    Only words that are counted, too: by its count a word is swept.
    """
    if words := {word for activity in activities for (word,) in counted(activity)}:
        yield Statement(_LEARN, {"organization_id": organization_id, "words": sorted(words)})


def sweep(organization_id: str) -> Statement:
    """Forget the words nobody uses any more."""
    return Statement(_SWEEP, {"organization_id": organization_id})


MODEL = ReadModel(
    TABLE,
    Activity,
    row,
    depends_on=("subject", "description", "deleted_at"),
    counts=COUNTS,
    counted=counted,
    aside=learn,
    sweep=sweep,
)
