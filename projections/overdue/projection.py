"""What a state means for the overdue table: a row while it can be overdue, none before or after."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from domain.activity.activity import Activity
from domain.vocabulary import CAN_BE_OVERDUE, RecordKind
from projections.counts import ANY_KEY, ANY_NUMBER, Counts
from projections.read_model import ReadModel
from projections.table import Table

TABLE = Table(
    "overdue",
    "activity_id",
    ("organization_id", "activity_id", "due_at", "priority", "assignee_key", "related_key"),
)


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    if not can_be_overdue(activity):
        return None
    return {
        "organization_id": organization_id,
        "activity_id": key,
        "due_at": activity.due_at,
        "priority": activity.priority.rank,
        "assignee_key": record_key(RecordKind.USER, activity.assigned_user_id),
        "related_key": record_key(activity.activityable_type, activity.activityable_id),
    }


def can_be_overdue(activity: Activity) -> bool:
    return activity.deleted_at is None and activity.due_at is not None and activity.status in CAN_BE_OVERDUE


_OF = f"""
select organization_id, coalesce(assignee_key, '{ANY_KEY}') as assignee_key,
       coalesce(priority, {ANY_NUMBER}) as priority, of_month, due_on, count(*) as n
  from (select organization_id, assignee_key, priority, of_month,
               date_trunc(case when of_month then 'month' else 'day' end, due_at at time zone 'UTC')::date as due_on
          from overdue cross join (values (false), (true)) as span (of_month)) o
 group by organization_id, of_month, due_on, grouping sets ((assignee_key), (priority), ())
"""

COUNTS = Counts(
    "due_totals",
    {"assignee_key": "uuid", "priority": "smallint", "of_month": "boolean", "due_on": "date"},
    _OF,
)


def counted(activity: Activity) -> Iterator[tuple[Any, ...]]:
    """One of its assignee, of its priority, and of all, on the day it is due and in the month, while it has a row."""
    if can_be_overdue(activity) and activity.due_at is not None:
        assignee = record_key(RecordKind.USER, activity.assigned_user_id)
        day = activity.due_at.astimezone(UTC).date()
        for of_month, due_on in ((False, day), (True, day.replace(day=1))):
            yield assignee, ANY_NUMBER, of_month, due_on
            yield ANY_KEY, activity.priority.rank, of_month, due_on
            yield ANY_KEY, ANY_NUMBER, of_month, due_on


DEPENDS_ON = tuple("due_at status priority assigned_user_id activityable_type activityable_id deleted_at".split())

MODEL = ReadModel(TABLE, Activity, row, depends_on=DEPENDS_ON, counts=COUNTS, counted=counted)
