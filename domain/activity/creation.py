"""How activities come to be: anew, as successor of a cancelled one, recreated, or as a follow-up."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from domain.activity.activity import Activity, evolve
from domain.activity.blanks import ERASED
from domain.activity.decisions import Facts, allowing, cancel, complete, defer, existing, moved_reminder, start, wait
from domain.activity.drafts import Completion, NewActivity, Recreation
from domain.activity.events import Created
from domain.lifecycle import Action
from domain.refusals import Invalid
from domain.vocabulary import ActivityType, Status

FOLLOW_UP_HOUR = time(9, 0)


def create(
    new: NewActivity,
    *,
    id: str,
    actor: str,
    currency: str,
    now: datetime,
    cancelled: bool = False,
    **origin: str,
) -> Facts:
    """The facts of a new activity; `origin` names what it succeeds, recreates or was imported from.

    Created further along than pending, facts follow that lead there. `cancelled` is for surface T,
    where an activity may be logged that never took place.
    """
    if new.status is Status.CANCELLED:
        raise Invalid("status", "An activity cannot be created cancelled")
    if new.completed_at is not None and new.status is not Status.COMPLETED:
        raise Invalid("completed_at", "is only for an activity created completed")
    if new.outcome is not None and new.status is not Status.COMPLETED:
        raise Invalid("outcome", "is only for an activity created completed")
    created = _created(new, id=id, actor=actor, currency=currency, now=now, origin=origin)
    activity = evolve(None, created, 0)
    if cancelled:
        return [created, *cancel(activity, reason=None, now=now)]
    return [created, *_steps_to(new, activity, now)]


def _created(new: NewActivity, *, id: str, actor: str, currency: str, now: datetime, origin: dict[str, str]) -> Created:
    given = ((name, getattr(new, name)) for name in new.model_fields_set)
    said: dict[str, Any] = {name: value for name, value in given if value not in (None, [], {})}
    for not_of_created in ("status", "completed_at", "outcome", "create_follow_up"):
        said.pop(not_of_created, None)
    said |= {"assigned_user_id": new.assigned_user_id or actor}
    if new.follow_up_date is not None:
        said["follow_up_required"] = True
    if new.billable_rate is not None:
        said["currency"] = new.currency or currency
    if new.participants:
        said["participants"] = [person.model_dump(exclude_none=True) for person in new.participants]
    return Created(at=now, id=id, created_by=actor, **said, **origin)


def _steps_to(new: NewActivity, activity: Activity, now: datetime) -> Facts:
    match new.status:
        case Status.IN_PROGRESS:
            return start(activity, now=now)
        case Status.WAITING:
            return wait(activity, reason=None, now=now)
        case Status.DEFERRED:
            return defer(activity, reason=None, now=now)
        case Status.COMPLETED:
            completion = Completion(
                outcome=new.outcome, completed_at=new.completed_at, duration_minutes=new.duration_minutes
            )
            return complete(activity, completion, now=now)
        case _:
            return []


_COPIED = (
    "type subject description activityable_type activityable_id contact_id assigned_user_id priority location "
    "tags custom_fields is_billable billable_rate currency participants"
).split()
"""What a successor or a recreation takes over: never outcomes or counters."""


def _copy_of(activity: Activity) -> dict[str, Any]:
    copied = {name: getattr(activity, name) for name in _COPIED}
    return copied | {"duration_minutes": activity.planned_duration_minutes}


def succeed(activity: Activity | None, *, id: str, due_at: datetime, actor: str, currency: str, now: datetime) -> Facts:
    """The successor of an activity that is being cancelled, due at another date with the same reminder lead."""
    activity = existing(activity)
    copied = _copy_of(activity) | {"due_at": due_at, "reminder_at": _reminder_for(activity, due_at)}
    new = NewActivity.model_construct(**copied)
    return create(new, id=id, actor=actor, currency=currency, now=now, predecessor_id=activity.id)


def _reminder_for(activity: Activity, due_at: datetime | None) -> datetime | None:
    return moved_reminder(activity, due_at) if activity.due_at is not None else None


def recreate(
    activity: Activity | None, changes: Recreation, *, id: str, actor: str, currency: str, now: datetime
) -> Facts:
    """A new pending activity like the cancelled one, which stays as it is."""
    activity = allowing(Action.RECREATE, activity)
    said = {name: getattr(changes, name) for name in changes.model_fields_set}
    copied = _copy_of(activity) | {"due_at": activity.due_at, "reminder_at": activity.reminder_at}
    if "due_at" in said and "reminder_at" not in said:
        copied["reminder_at"] = moved_reminder(activity, said["due_at"])
    new = NewActivity.model_construct(**(copied | said))
    return create(new, id=id, actor=actor, currency=currency, now=now, recreated_from_id=activity.id)


def follow_up(
    activity: Activity, *, id: str, on: date | None, zone: ZoneInfo, actor: str, currency: str, now: datetime
) -> Facts:
    """The activity that follows `activity` up, at nine in the morning of the organisation's time zone."""
    if on is None:
        raise Invalid("follow_up_date", "is needed to create the follow-up")
    new = NewActivity.model_construct(
        type=ActivityType.FOLLOW_UP,
        subject=ERASED if activity.subject == ERASED else f"Follow-up: {activity.subject}"[:255],
        activityable_type=activity.activityable_type,
        activityable_id=activity.activityable_id,
        contact_id=activity.contact_id,
        assigned_user_id=activity.assigned_user_id,
        priority=activity.priority,
        due_at=_nine_on(on, zone),
        follow_up_of_id=activity.id,
    )
    return create(new, id=id, actor=actor, currency=currency, now=now)


def _nine_on(day: date, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(day, FOLLOW_UP_HOUR, tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise Invalid("follow_up_date", "must lie in the years 1 to 9999 in UTC") from None
