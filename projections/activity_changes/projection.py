"""What a fact means for the changes: one row, saying what became of the activity, and what it was where that differs.

Whatever is asked of days, past states or turnover is a sum over these rows: no row is ever changed by a later fact.
"""

from typing import Any
from uuid import UUID

from domain.activity import events
from domain.activity.activity import Activity
from domain.vocabulary import CAN_BE_OVERDUE
from projections.folding import Step
from projections.read_model import ReadModel
from projections.table import Table

TABLE = Table(
    "activity_changes",
    "position",
    tuple(
        "organization_id position activity_id version change recorded_at happened_at type status assigned_user_id "
        "due_at overdue_after was_type was_status was_assigned_user_id was_due_at was_overdue_after planned_minutes "
        "actual_minutes billable_amount currency".split()
    ),
)

_COMPLETED = events.Completed.name


def row(organization_id: str, key: UUID, step: Step) -> dict[str, Any]:
    """A column that is not named is null."""
    after = step.after
    assert isinstance(after, Activity)  # the read model is of activities
    said: dict[str, Any] = {
        "organization_id": organization_id,
        "position": step.position,
        "activity_id": key,
        "version": after.version,
        "change": step.topic.split(".")[1],
        "recorded_at": after.updated_at,
        "happened_at": after.updated_at,
        "type": after.type,
        "status": after.status,
        "assigned_user_id": after.assigned_user_id,
        "due_at": after.due_at,
        "overdue_after": _overdue_after(after),
    }
    if isinstance(step.before, Activity):
        said |= _before(step.before, after)
    if step.topic == _COMPLETED:
        said |= _done(after)
    return said


def _overdue_after(activity: Activity) -> Any:
    """The instant after which it is overdue if nothing else happens; None while it cannot be."""
    if activity.deleted_at is not None or activity.status not in CAN_BE_OVERDUE:
        return None
    return activity.due_at


def _before(before: Activity, after: Activity) -> dict[str, Any]:
    was = {"was_overdue_after": _overdue_after(before)}
    for name in ("type", "status", "assigned_user_id", "due_at"):
        if (old := getattr(before, name)) != getattr(after, name):
            was[f"was_{name}"] = old
    return was


def _done(activity: Activity) -> dict[str, Any]:
    return {
        "happened_at": activity.completed_at,
        "planned_minutes": activity.planned_duration_minutes,
        "actual_minutes": activity.actual_duration_minutes,
        "billable_amount": activity.billable_amount,
        "currency": activity.currency,
    }


MODEL = ReadModel(TABLE, Activity, row, each_step=True)
