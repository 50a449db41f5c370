"""The questions the list answers: a page of activities, one activity, the activity with a number."""

from typing import Any

from projections.filters import ActivityFilter
from projections.gathering import PointQuestion
from projections.paging import Listing, Sort
from projections.reading import Question
from projections.resource import WITH_NAMES, resource_sql

READ_MODELS = ("activity_list", "directory")
DETAILED = frozenset({"related", "contact", "assignee"})

COUNTED = ("statuses", "priorities", "types", "related_types", "assignees")
"""Filters by which totals are kept."""

SORTS = {
    "due_at": ("l.due_at", "timestamptz", True),
    "created_at": ("l.created_at", "timestamptz", False),
    "priority": ("l.priority", "smallint", False),
}


def activities(
    organization_id: str,
    filters: ActivityFilter,
    *,
    sort_by: str = "due_at",
    descending: bool = False,
    includes: frozenset[str] = frozenset(),
) -> Listing:
    """The activities that match, in the order asked for."""
    column, type_, nullable = SORTS[sort_by]
    total = None
    if filters.only(*COUNTED):
        where = " and ".join(["l.organization_id = %(organization_id)s", *filters.conditions()])
        total = f"select coalesce(sum(l.n), 0)::bigint as total from activity_counts l where {where}"
    return Listing(
        read_models=READ_MODELS,
        of="activity_list l",
        key="l.activity_id",
        where=["l.organization_id = %(organization_id)s", "l.deleted_at is null", *filters.conditions()],
        parameters={"organization_id": organization_id, **filters.parameters()},
        sort=Sort(sort_by, column, type_, nullable, descending),
        shown=resource_sql(includes),
        with_names=WITH_NAMES,
        total=total,
        identity=filters.parameters(),
    )


ACTIVITY = PointQuestion(
    READ_MODELS,
    f"""
select l.activity_id, {resource_sql(DETAILED)}, l.version
  from activity_list l {WITH_NAMES}
 where l.organization_id = %(organization_id)s and l.activity_id = any(%(keys)s) and l.deleted_at is null
""",
)
"""One activity in full, with its version; no row where there is none."""

_NUMBERED = """
select activity_id from activity_list
 where organization_id = %(organization_id)s and number = %(number)s
"""


def numbered(organization_id: str, number: int) -> Question:
    """The id of the activity with a number."""
    parameters: dict[str, Any] = {"organization_id": organization_id, "number": number}
    return Question(("activity_list",), _NUMBERED, parameters)
