"""What a state means for follow-ups: it may have opened an obligation, and it may satisfy others'.

Whether an obligation is open is asked, not stored: it depends on other activities. Source: REQUIREMENTS section 2.
"""

from typing import Any
from uuid import UUID

from application.event_store.mapper import activity_key, record_key
from domain.activity.activity import Activity
from projections.read_model import ReadModel
from projections.table import Table

TABLE = Table(
    "follow_ups",
    "activity_id",
    ("organization_id", "activity_id", "number", "related_key", "follow_up_of", "opened", "due_on"),
)


def row(organization_id: str, key: UUID, activity: Activity) -> dict[str, Any] | None:
    """A deleted activity neither obliges nor satisfies."""
    if activity.deleted_at is not None:
        return None
    followed = activity.follow_up_of_id
    return {
        "organization_id": organization_id,
        "activity_id": key,
        "number": activity.number,
        "related_key": record_key(activity.activityable_type, activity.activityable_id),
        "follow_up_of": None if followed is None else activity_key(followed),
        "opened": activity.follow_up_opened,
        "due_on": activity.follow_up_date,
    }


DEPENDS_ON = tuple(
    "number activityable_type activityable_id follow_up_of_id follow_up_opened follow_up_date deleted_at".split()
)

MODEL = ReadModel(TABLE, Activity, row, depends_on=DEPENDS_ON)
