"""What a state means for the overdue table: a row while it can be overdue, none before or after."""

from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from domain.activity.activity import Activity
from domain.vocabulary import CAN_BE_OVERDUE, RecordKind
from projections.counts import Counts, Row
from projections.table import ReadModel, Table

TABLE = Table(
    "overdue",
    "activity_id",
    ("organization_id", "activity_id", "due_at", "priority", "assignee_key", "related_key"),
)


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    if activity.deleted_at is not None or activity.due_at is None or activity.status not in CAN_BE_OVERDUE:
        return None
    return {
        "organization_id": organization_id,
        "activity_id": key,
        "due_at": activity.due_at,
        "priority": activity.priority.rank,
        "assignee_key": record_key(RecordKind.USER, activity.assigned_user_id),
        "related_key": record_key(activity.activityable_type, activity.activityable_id),
    }


COUNTS = Counts(
    "overdue_counts",
    ("due_on", "priority", "assignee_key"),
    "select organization_id, (due_at at time zone 'UTC')::date as due_on, priority, assignee_key, count(*) as n"
    " from overdue group by 1, 2, 3, 4",
)


def counted(row: Row) -> tuple[Any, ...]:
    return row["due_at"].date(), row["priority"], row["assignee_key"]


MODEL = ReadModel(TABLE, Activity, row, counts=COUNTS, counted=counted)
