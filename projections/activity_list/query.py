"""The questions the list answers: a page of activities, one activity, the activity with a number."""

from functools import lru_cache
from typing import Any

from projections.counts import ANY_KEY, ANY_TEXT
from projections.filters import ActivityFilter
from projections.gathering import PointQuestion
from projections.paging import Listing, Sort
from projections.reading import Question
from projections.resource import WITH_NAMES, added_sql

READ_MODELS = ("activity_list", "directory")
DETAILED = frozenset({"related", "contact", "assignee"})

COUNTED = ("statuses", "priorities", "types", "related_types", "assignees")
"""Filters by which totals are kept."""

DEEP = 50
"""Rows before a page from which on it is deep."""
_ROWS = " join activity_list l on l.organization_id = k.organization_id and l.activity_id = k.activity_id"

SORTS = {
    "due_at": ("l.due_at", "timestamptz", True),
    "created_at": ("l.created_at", "timestamptz", False),
    "priority": ("l.priority", "smallint", False),
}


@lru_cache(maxsize=1024)
def activities(
    organization_id: str,
    filters: ActivityFilter,
    *,
    sort_by: str = "due_at",
    descending: bool = False,
    includes: frozenset[str] = frozenset(),
    deep: bool = False,
) -> Listing:
    """The activities that match, in the order asked for.

    A page is `deep` when so many rows come before it that passing over their keys alone is cheaper. So is counting
    them, where no total is kept.
    """
    total = _total(filters) if filters.only(*COUNTED) else None
    keys_first = deep or total is None
    column, type_, nullable = SORTS[sort_by]
    return Listing(
        read_models=READ_MODELS,
        of="activity_list l",
        key="l.activity_id",
        where=["l.organization_id = %(organization_id)s", "l.deleted_at is null", *filters.conditions()],
        parameters={"organization_id": organization_id, **filters.parameters()},
        sort=Sort(sort_by, column, type_, nullable, descending),
        shown="l.document",
        added=added_sql(includes),
        page_alias="k" if keys_first else "l",
        columns="l.organization_id, l.activity_id" if keys_first else "l.*",
        with_names=(_ROWS if keys_first else "") + WITH_NAMES,
        total=total,
        identity=filters.parameters(),
    )


def _total(filters: ActivityFilter) -> str:
    """From the roll-up that has just the columns filtered by."""
    every: list[str] = []
    if filters.types or filters.related_types:
        every = [] if filters.types else [f"l.type <> '{ANY_TEXT}'"]
    else:
        every = [f"l.type = '{ANY_TEXT}'", f"l.related_type = '{ANY_TEXT}'"]
        every += [] if filters.assignees else [f"l.assignee_key = '{ANY_KEY}'"]
    where = " and ".join(["l.organization_id = %(organization_id)s", *every, *filters.conditions()])
    return f"select coalesce(sum(l.n), 0)::bigint as total from activity_totals l where {where}"


ACTIVITY = PointQuestion(
    READ_MODELS,
    f"""
select l.activity_id, l.document, {added_sql(DETAILED)}, l.version
  from activity_list l {WITH_NAMES}
 where l.organization_id = %(organization_id)s and l.activity_id = any(%(keys)s) and l.deleted_at is null
""",
)
"""One activity: its document, what completes it, its version; no row where there is none."""

_NUMBERED = """
select activity_id from activity_list
 where organization_id = %(organization_id)s and number = %(number)s
"""


def numbered(organization_id: str, number: int) -> Question:
    """The id of the activity with a number."""
    parameters: dict[str, Any] = {"organization_id": organization_id, "number": number}
    return Question(("activity_list",), _NUMBERED, parameters)
