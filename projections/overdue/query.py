"""The question the overdue table answers: what is late, latest first, or by priority or by the record's value."""

from dataclasses import replace
from functools import lru_cache

from projections.counts import ANY_KEY, ANY_NUMBER
from projections.filters import ActivityFilter, Columns
from projections.paging import Listing, Sort
from projections.resource import WITH_NAMES, added_sql

READ_MODELS = ("overdue", "activity_list", "directory")

_DAYS = """ || ',"days_overdue":' || floor(extract(epoch from now() - l.due_at) / 86400)::bigint"""

SORTS = {
    "due_at": ("o.due_at", "timestamptz", False),
    "days_overdue": ("-extract(epoch from o.due_at)", "numeric", False),
    "priority": ("o.priority", "smallint", False),
    "entity_value": ("d.value", "numeric", True),
}

_NARROW: Columns = {
    "assignees": ("o.assignee_key", "uuid"),
    "related": ("o.related_key", "uuid"),
    "priorities": ("o.priority", "smallint"),
}
"""Filters that the narrow table answers by itself."""

_KEPT = "select coalesce(sum(o.n), 0) from due_totals o where o.organization_id = %(organization_id)s{kept}"
_TOTAL = f"""
select ({_KEPT} and o.of_month and o.due_on < date_trunc('month', now() at time zone 'UTC')::date)::bigint
     + ({_KEPT} and not o.of_month and o.due_on >= date_trunc('month', now() at time zone 'UTC')::date
           and o.due_on < (now() at time zone 'UTC')::date)::bigint
     + (select count(*) from overdue o
         where o.organization_id = %(organization_id)s and o.due_at < now()
           and o.due_at >= date_trunc('day', now(), 'UTC'){{narrow}}) as total
"""
"""Whole months are kept, and the whole days of the month that has begun; the day that has begun is counted."""

_WIDE = " join activity_list l on l.organization_id = o.organization_id and l.activity_id = o.activity_id"
_VALUE = " left join directory d on d.organization_id = o.organization_id and d.record_key = o.related_key"


@lru_cache(maxsize=1024)
def overdue_activities(
    organization_id: str,
    filters: ActivityFilter,
    *,
    sort_by: str = "due_at",
    descending: bool = False,
    includes: frozenset[str] = frozenset(),
) -> Listing:
    column, type_, nullable = SORTS[sort_by]
    narrow = filters.one_of(_NARROW)
    wide = replace(filters, assignees=(), related=(), priorities=()).conditions()
    of = "overdue o" + (_WIDE if wide else "") + (_VALUE if sort_by == "entity_value" else "")
    names = " join activity_list l on l.organization_id = k.organization_id and l.activity_id = k.activity_id"
    total = None
    if filters.only("assignees") or filters.only("priorities"):
        every = [] if filters.assignees else [f"o.assignee_key = '{ANY_KEY}'"]
        every += [] if filters.priorities else [f"o.priority = {ANY_NUMBER}"]
        total = _TOTAL.format(kept=_also([*narrow, *every]), narrow=_also(narrow))
    return Listing(
        read_models=READ_MODELS,
        of=of,
        key="o.activity_id",
        columns="o.organization_id, o.activity_id",
        where=["o.organization_id = %(organization_id)s", "o.due_at < now()", *narrow, *wide],
        parameters={"organization_id": organization_id, **filters.parameters()},
        sort=Sort(sort_by, column, type_, nullable, descending),
        shown="l.document",
        added=added_sql(includes) + _DAYS,
        page_alias="k",
        with_names=names + WITH_NAMES,
        total=total,
        identity=filters.parameters(),
    )


def _also(conditions: list[str]) -> str:
    return "".join(f" and {condition}" for condition in conditions)
