"""Given these facts, when this is decided, then these facts follow: the words domain tests are written in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.activity.activity import Activity, evolve
from domain.activity.decisions import Facts
from domain.activity.drafts import ActivityChanges, NewActivity
from domain.activity.events import (
    ActivityEvent,
    Cancelled,
    Completed,
    Created,
    Deferred,
    Deleted,
    Rescheduled,
    Restored,
    Resumed,
    Started,
    Updated,
    Waited,
)
from domain.activity.updating import update

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When the decision under test is taken; every fact given is older."""
BEFORE = NOW - timedelta(days=1)
DUE = datetime(2026, 3, 10, 14, 0, tzinfo=UTC)
LATER = DUE + timedelta(days=7)
REMINDER = DUE - timedelta(minutes=15)
ID = "01JFJ0000000000000000000AA"
OTHER_ID = "01JFJ0000000000000000000BB"
ME = "u-1"

NAMES = {
    event.name: event.__name__
    for event in (
        Created,
        Updated,
        Rescheduled,
        Started,
        Deferred,
        Waited,
        Resumed,
        Completed,
        Cancelled,
        Deleted,
        Restored,
    )
}


def created(**fields: Any) -> Created:
    least = {
        "id": ID,
        "created_by": ME,
        "type": "call",
        "subject": "Call about the offer",
        "activityable_type": "customer",
        "activityable_id": "c-1",
        "assigned_user_id": ME,
    }
    return Created.model_validate({"at": BEFORE, **least, **fields})


def started() -> Started:
    return Started(at=BEFORE)


def deferred() -> Deferred:
    return Deferred(at=BEFORE, reason=None)


def waited() -> Waited:
    return Waited(at=BEFORE, reason=None)


def resumed() -> Resumed:
    return Resumed(at=BEFORE)


def completed(**fields: Any) -> Completed:
    return Completed.model_validate({"at": BEFORE, "completed_at": BEFORE, **fields})


def cancelled(**fields: Any) -> Cancelled:
    return Cancelled(at=BEFORE, **fields)


def deleted() -> Deleted:
    return Deleted(at=BEFORE)


def given(*facts: ActivityEvent) -> Activity:
    """The activity these facts lead to; they stand at the first positions of the log."""
    activity: Activity | None = None
    for position, fact in enumerate(facts, start=1):
        activity = evolve(activity, fact, position)
    assert activity is not None
    return activity


def then(activity: Activity | None, facts: Facts) -> Activity:
    """The activity once the facts decided upon it are recorded, too."""
    position = 0 if activity is None else activity.number + activity.version - 1
    for fact in facts:
        position += 1
        activity = evolve(activity, fact, position)
    assert activity is not None
    return activity


def kinds(facts: Facts) -> list[str]:
    """What happened, by name: ["Started"]."""
    return [NAMES[fact.name] for fact in facts]


def new(**fields: Any) -> NewActivity:
    """What a caller says of a new activity, as it comes in."""
    least = {
        "type": "call",
        "subject": "Call about the offer",
        "activityable_type": "customer",
        "activityable_id": "c-1",
    }
    return NewActivity.model_validate({**least, **fields})


def patched(activity: Activity, **changes: Any) -> Facts:
    """The facts of a PATCH with these changes."""
    return update(activity, ActivityChanges.model_validate(changes), currency="USD", now=NOW)
