"""What is known of an activity, and how each fact changes it. Evolution believes every fact and refuses none.

The one `evolve` serves the write side, time travel, history, every read table and their verification:
so a read row IS the fold of its facts.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from domain.activity import events
from domain.activity.blanks import BLANKS
from domain.activity.events import ActivityEvent, Person
from domain.lifecycle import Action, allowed_actions, destination
from domain.vocabulary import ActivityType, Priority, RelatedType, Status


class Activity(NamedTuple):
    """`number` is the position of its Created in the organisation's log: it never changes, and surface T's id.

    A tuple, as thousands of them are kept at hand: it takes a quarter of the memory of a model of as many fields.
    """

    id: str
    number: int
    version: int
    type: ActivityType
    status: Status
    priority: Priority
    subject: str
    description: str | None
    activityable_type: RelatedType
    activityable_id: str
    contact_id: str | None
    assigned_user_id: str
    created_by: str
    due_at: datetime | None
    previous_due_at: datetime | None
    rescheduled_count: int
    reminder_at: datetime | None
    planned_duration_minutes: int | None
    actual_duration_minutes: int | None
    location: str | None
    follow_up_required: bool
    follow_up_date: date | None
    follow_up_of_id: str | None
    follow_up_opened: int | None
    """Position of the fact that opened the obligation to follow up; None while it is only planned."""
    tags: tuple[str, ...]
    custom_fields: dict[str, Any]
    is_billable: bool
    billable_rate: Decimal | None
    billable_amount: Decimal | None
    currency: str | None
    participants: tuple[Person, ...]
    attachment_urls: tuple[str, ...]
    outcome: str | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None
    successor_id: str | None
    predecessor_id: str | None
    recreated_from_id: str | None
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @property
    def duration_minutes(self) -> int | None:
        """The actual duration, else the planned one."""
        if self.actual_duration_minutes is not None:
            return self.actual_duration_minutes
        return self.planned_duration_minutes

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        return allowed_actions(self.status, deleted=self.deleted_at is not None)


def evolve(activity: Activity | None, fact: ActivityEvent, position: int) -> Activity:
    """The activity after `fact`, which stands at `position` in its organisation's log."""
    if isinstance(fact, events.Created):
        return _created(fact, position)
    if activity is None:
        raise ValueError(f"{fact.name} cannot be the first fact of an activity")
    changes = _CHANGES[type(fact)](activity, fact, position)
    return activity._replace(**changes, version=activity.version + 1, updated_at=fact.at)


def _created(fact: events.Created, position: int) -> Activity:
    new = {
        **_NEW,
        **fact.__dict__,
        "number": position,
        "version": 1,
        "planned_duration_minutes": fact.duration_minutes,
        "created_at": fact.at,
        "updated_at": fact.at,
    }
    return Activity._make(map(new.__getitem__, Activity._fields))


def _updated(activity: Activity, fact: events.Updated, position: int) -> dict[str, Any]:
    changes = {name: getattr(fact, name) for name in fact.model_fields_set if name != "at"}
    if "duration_minutes" in changes:
        changes["planned_duration_minutes"] = changes.pop("duration_minutes")
    return changes


def _rescheduled(activity: Activity, fact: events.Rescheduled, position: int) -> dict[str, Any]:
    changes: dict[str, Any] = {"due_at": fact.due_at, "reminder_at": fact.reminder_at}
    if activity.status is Status.DEFERRED:
        changes["status"] = Status.PENDING
    if fact.due_at != activity.due_at:
        changes["previous_due_at"] = activity.due_at
        if fact.due_at is not None and activity.due_at is not None:
            changes["rescheduled_count"] = activity.rescheduled_count + 1
    if fact.priority is not None:
        changes["priority"] = fact.priority
    return changes


def _started(activity: Activity, fact: events.Started, position: int) -> dict[str, Any]:
    return {"status": Status.IN_PROGRESS, "started_at": fact.at}


def _deferred(activity: Activity, fact: events.Deferred, position: int) -> dict[str, Any]:
    return {"status": Status.DEFERRED}


def _waited(activity: Activity, fact: events.Waited, position: int) -> dict[str, Any]:
    return {"status": Status.WAITING}


def _resumed(activity: Activity, fact: events.Resumed, position: int) -> dict[str, Any]:
    started = activity.started_at is not None
    return {"status": destination(Action.RESUME, Status.WAITING, started=started)}


def _completed(activity: Activity, fact: events.Completed, position: int) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "status": Status.COMPLETED,
        "completed_at": fact.completed_at,
        "actual_duration_minutes": fact.actual_duration_minutes,
        "billable_amount": fact.billable_amount,
        "tags": activity.tags + fact.tags_added,
    }
    if fact.outcome is not None:
        changes["outcome"] = fact.outcome
    if fact.follow_up_required is not None:
        changes |= {"follow_up_required": fact.follow_up_required, "follow_up_date": fact.follow_up_date}
    if changes.get("follow_up_required", activity.follow_up_required):
        changes["follow_up_opened"] = position
    return changes


def _cancelled(activity: Activity, fact: events.Cancelled, position: int) -> dict[str, Any]:
    return {
        "status": Status.CANCELLED,
        "cancelled_at": fact.at,
        "cancellation_reason": fact.reason,
        "successor_id": fact.successor_id,
    }


def _deleted(activity: Activity, fact: events.Deleted, position: int) -> dict[str, Any]:
    return {"deleted_at": fact.at}


def _restored(activity: Activity, fact: events.Restored, position: int) -> dict[str, Any]:
    return {"deleted_at": None}


def _personal_data_erased(activity: Activity, fact: events.PersonalDataErased, position: int) -> dict[str, Any]:
    changes = {name: BLANKS[name] for name in fact.fields if name in BLANKS}
    if fact.people:
        changes["participants"] = tuple(
            person.model_copy(update={"name": None, "email": None}) if place in fact.people else person
            for place, person in enumerate(activity.participants)
        )
    return changes


_CHANGES: dict[type[Any], Callable[[Activity, Any, int], dict[str, Any]]] = {
    events.Updated: _updated,
    events.Rescheduled: _rescheduled,
    events.Started: _started,
    events.Deferred: _deferred,
    events.Waited: _waited,
    events.Resumed: _resumed,
    events.Completed: _completed,
    events.Cancelled: _cancelled,
    events.Deleted: _deleted,
    events.Restored: _restored,
    events.PersonalDataErased: _personal_data_erased,
}

_NEW: dict[str, Any] = {**dict.fromkeys(Activity._fields), "status": Status.PENDING, "rescheduled_count": 0}
"""What an activity is before it is created."""
