"""Decisions about one activity: each may refuse, may find nothing to do, and answers with facts.

Rules live here and never in `evolve`: a rule tightened later must not make stored history unloadable.
Clock, ids and actor are arguments. `None` for an activity means there is none.
"""

from collections.abc import Sequence
from datetime import date, datetime

from domain.activity.activity import Activity
from domain.activity.drafts import Completion
from domain.activity.events import (
    ActivityEvent,
    Cancelled,
    Completed,
    Deferred,
    Deleted,
    Rescheduled,
    Restored,
    Resumed,
    Started,
    Waited,
)
from domain.activity.money import billable_amount
from domain.lifecycle import Action, destination
from domain.refusals import Invalid, NotAllowed, Unknown
from domain.values import MOST_TAGS
from domain.vocabulary import Priority

Facts = list[ActivityEvent]


def existing(activity: Activity | None) -> Activity:
    """The activity, unless there is none or it is deleted: for every command but restore that is the same."""
    if activity is None or activity.deleted_at is not None:
        raise Unknown("Activity")
    return activity


def allowing(action: Action, activity: Activity | None) -> Activity:
    """The activity, if the lifecycle allows `action` on it now."""
    activity = existing(activity)
    started = activity.started_at is not None
    if destination(action, activity.status, started=started) is None:
        raise NotAllowed(action, activity.status, activity.allowed_actions)
    return activity


def start(activity: Activity | None, *, now: datetime) -> Facts:
    allowing(Action.START, activity)
    return [Started(at=now)]


def defer(activity: Activity | None, *, reason: str | None, now: datetime) -> Facts:
    allowing(Action.DEFER, activity)
    return [Deferred(at=now, reason=reason)]


def wait(activity: Activity | None, *, reason: str | None, now: datetime) -> Facts:
    allowing(Action.WAIT, activity)
    return [Waited(at=now, reason=reason)]


def resume(activity: Activity | None, *, now: datetime) -> Facts:
    allowing(Action.RESUME, activity)
    return [Resumed(at=now)]


def delete(activity: Activity | None, *, now: datetime) -> Facts:
    allowing(Action.DELETE, activity)
    return [Deleted(at=now)]


def restore(activity: Activity | None, *, now: datetime) -> Facts:
    if activity is None:
        raise Unknown("Activity")
    if activity.deleted_at is None:
        message = "Cannot restore an activity that is not deleted"
        raise NotAllowed(Action.RESTORE, activity.status, activity.allowed_actions, message)
    return [Restored(at=now)]


def cancel(activity: Activity | None, *, reason: str | None, successor_id: str | None = None, now: datetime) -> Facts:
    allowing(Action.CANCEL, activity)
    return [Cancelled(at=now, reason=reason, successor_id=successor_id)]


def reschedule(
    activity: Activity | None,
    *,
    due_at: datetime | None,
    reason: str | None = None,
    update_reminder: bool = True,
    priority: Priority | None = None,
    now: datetime,
) -> Facts:
    """Move the due date. To where it already stands, with nothing else to record, nothing is recorded."""
    activity = allowing(Action.RESCHEDULE, activity)
    new_priority = priority if priority is not activity.priority else None
    stays = destination(Action.RESCHEDULE, activity.status, started=False) is activity.status
    if due_at == activity.due_at and new_priority is None and stays:
        return []
    reminder_at = moved_reminder(activity, due_at) if update_reminder else activity.reminder_at
    return [Rescheduled(at=now, due_at=due_at, reminder_at=reminder_at, reason=reason, priority=new_priority)]


def moved_reminder(activity: Activity, due_at: datetime | None) -> datetime | None:
    """The reminder with the same lead time before the new due date; where there is no lead, as it was."""
    if activity.reminder_at is None or activity.due_at is None or due_at is None:
        return activity.reminder_at
    try:
        return due_at + (activity.reminder_at - activity.due_at)
    except OverflowError:
        raise Invalid("reminder_at", "The reminder would fall outside the years 1 to 9999") from None


def complete(activity: Activity | None, completion: Completion, *, now: datetime) -> Facts:
    activity = allowing(Action.COMPLETE, activity)
    completed_at = completion.completed_at or now
    if completed_at > now:
        raise Invalid("completed_at", "must not lie in the future")
    required = True if completion.follow_up_date else completion.follow_up_required
    minutes = completion.duration_minutes
    if minutes is None:
        minutes = activity.planned_duration_minutes
    return [
        Completed(
            at=now,
            completed_at=completed_at,
            outcome=completion.outcome,
            actual_duration_minutes=completion.duration_minutes,
            tags_added=_tags_to_add(activity, completion.tags),
            follow_up_required=required,
            follow_up_date=_follow_up_date(activity, completion, required),
            billable_amount=billable_amount(activity, minutes),
        )
    ]


def _follow_up_date(activity: Activity, completion: Completion, required: bool | None) -> date | None:
    if required and "follow_up_date" not in completion.model_fields_set:
        return activity.follow_up_date
    return completion.follow_up_date


def _tags_to_add(activity: Activity, tags: Sequence[str]) -> tuple[str, ...]:
    added = tuple(tag for tag in tags if tag not in activity.tags)
    if len(activity.tags) + len(added) > MOST_TAGS:
        raise Invalid("tags", f"An activity has at most {MOST_TAGS} tags")
    return added
