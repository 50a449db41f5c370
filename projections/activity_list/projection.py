"""What a state means for the list. Deleted activities keep their row, out of sight, for their restoration."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from domain.activity.activity import Activity
from domain.vocabulary import RecordKind
from projections.counts import ANY_KEY, ANY_TEXT, Counts
from projections.read_model import ReadModel
from projections.resource import document
from projections.table import Table

TABLE = Table(
    "activity_list",
    "activity_id",
    tuple(
        "organization_id activity_id number version type status priority subject related_type related_id related_key "
        "contact_id contact_key assigned_user_id assignee_key created_by creator_key due_at completed_at created_at "
        "updated_at deleted_at tags rescheduled_count planned_duration_minutes actual_duration_minutes is_billable "
        "billable_rate billable_amount currency words document".split()
    ),
)


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any]:
    a = activity
    contact_key = None if a.contact_id is None else record_key(RecordKind.CONTACT, a.contact_id)
    return {
        "organization_id": organization_id,
        "activity_id": key,
        "number": a.number,
        "version": a.version,
        "type": a.type,
        "status": a.status,
        "priority": a.priority.rank,
        "subject": a.subject,
        "related_type": a.activityable_type,
        "related_id": a.activityable_id,
        "related_key": record_key(a.activityable_type, a.activityable_id),
        "contact_id": a.contact_id,
        "contact_key": contact_key,
        "assigned_user_id": a.assigned_user_id,
        "assignee_key": record_key(RecordKind.USER, a.assigned_user_id),
        "created_by": a.created_by,
        "creator_key": record_key(RecordKind.USER, a.created_by),
        "due_at": a.due_at,
        "completed_at": a.completed_at,
        "created_at": a.created_at,
        "updated_at": a.updated_at,
        "deleted_at": a.deleted_at,
        "tags": a.tags,
        "rescheduled_count": a.rescheduled_count,
        "planned_duration_minutes": a.planned_duration_minutes,
        "actual_duration_minutes": a.actual_duration_minutes,
        "is_billable": a.is_billable,
        "billable_rate": a.billable_rate,
        "billable_amount": a.billable_amount,
        "currency": a.currency,
        "words": f"{a.subject}\n{a.description or ''}".casefold(),
        "document": document(a).decode(),
    }


_OF = f"""
select organization_id, coalesce(type, '{ANY_TEXT}') as type, coalesce(related_type, '{ANY_TEXT}') as related_type,
       coalesce(assignee_key, '{ANY_KEY}') as assignee_key, status, priority, count(*) as n
  from activity_list
 where deleted_at is null
 group by organization_id, status, priority, grouping sets ((type, related_type, assignee_key), (assignee_key), ())
"""
COUNTS = Counts(
    "activity_totals",
    {"type": "text", "related_type": "text", "assignee_key": "uuid", "status": "text", "priority": "smallint"},
    _OF,
)


def counted(activity: Activity) -> Iterator[tuple[Any, ...]]:
    """One of all five, of the last three and of the last two, unless it is deleted."""
    a = activity
    if a.deleted_at is None:
        assignee = record_key(RecordKind.USER, a.assigned_user_id)
        yield a.type, a.activityable_type, assignee, a.status, a.priority.rank
        yield ANY_TEXT, ANY_TEXT, assignee, a.status, a.priority.rank
        yield ANY_TEXT, ANY_TEXT, ANY_KEY, a.status, a.priority.rank


MODEL = ReadModel(TABLE, Activity, row, counts=COUNTS, counted=counted)
