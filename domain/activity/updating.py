"""PUT and PATCH: fields changed one by one, a due date moved, a status reached, in one decision.

A status is routed to the action that leads there; a due date counts as a reschedule and needs update AND
reschedule allowed. What already is as asked is no change. Source: REQUIREMENTS section 2.
"""

from datetime import datetime
from typing import Any

from domain.activity.activity import Activity, evolve
from domain.activity.decisions import (
    Facts,
    allowing,
    cancel,
    complete,
    defer,
    existing,
    moved_reminder,
    reschedule,
    resume,
    start,
    wait,
)
from domain.activity.drafts import ActivityChanges, Completion
from domain.activity.events import Rescheduled, Updated
from domain.lifecycle import NOTES, Action, action_leading_to
from domain.refusals import Invalid, NotAllowed, NotesOnly
from domain.values import same
from domain.vocabulary import Status

_OF_COMPLETION = {"outcome", "duration_minutes", "completed_at", "follow_up_required", "follow_up_date"}
_NOT_PLAIN = {"status", "due_at", "completed_at"}
_EMPTY: dict[str, Any] = {
    "tags": (),
    "custom_fields": {},
    "participants": (),
    "attachment_urls": (),
    "follow_up_required": False,
    "is_billable": False,
}


def update(activity: Activity | None, changes: ActivityChanges, *, currency: str, now: datetime) -> Facts:
    activity = existing(activity)
    said = {name: getattr(changes, name) for name in changes.model_fields_set}
    if str(said.get("follow_up_of_id")).upper() == activity.id:
        raise Invalid("follow_up_of_id", "An activity cannot follow itself up")
    action = _action(activity, said)
    if "completed_at" in said and action is not Action.COMPLETE:
        raise Invalid("completed_at", "is only for an activity that becomes completed")
    to_complete: dict[str, Any] = {}
    if action is Action.COMPLETE:
        to_complete = {name: said.pop(name) for name in _OF_COMPLETION & said.keys()}

    facts: Facts = _moved(activity, said, now)
    facts += _changed(activity, said, bool(facts), currency, now)
    reached = _after(activity, facts)
    if action is not None and reached.status is not said["status"]:
        facts += _act(action, reached, to_complete, now)
    return facts


def _action(activity: Activity, said: dict[str, Any]) -> Action | None:
    target = said.get("status")
    if target is None or target is activity.status:
        return None
    action = action_leading_to(target, activity.status, started=activity.started_at is not None)
    if action is None:
        message = f"Nothing leads from {activity.status} to {target}"
        raise NotAllowed(Action.UPDATE, activity.status, activity.allowed_actions, message)
    return action


def _moved(activity: Activity, said: dict[str, Any], now: datetime) -> Facts:
    if "due_at" not in said or said["due_at"] == activity.due_at:
        return []
    if activity.status is Status.COMPLETED:
        raise NotesOnly(["due_at"], activity.allowed_actions)
    allowing(Action.UPDATE, activity)
    allowing(Action.RESCHEDULE, activity)
    due_at = said["due_at"]
    reminder_at = said["reminder_at"] if "reminder_at" in said else moved_reminder(activity, due_at)
    return [Rescheduled(at=now, due_at=due_at, reminder_at=reminder_at)]


def _changed(activity: Activity, said: dict[str, Any], moved: bool, currency: str, now: datetime) -> Facts:
    wanted = _normalised({name: value for name, value in said.items() if name not in _NOT_PLAIN})
    if moved:
        wanted.pop("reminder_at", None)
    if wanted.get("billable_rate") is not None and activity.currency is None:
        wanted.setdefault("currency", currency)
    different = {name: value for name, value in wanted.items() if not same(value, _present(activity, name))}
    if not different:
        return []
    if activity.status is Status.COMPLETED and (other := sorted(different.keys() - NOTES)):
        raise NotesOnly(other, activity.allowed_actions)
    allowing(Action.UPDATE, activity)
    return [Updated(at=now, **different)]


def _normalised(said: dict[str, Any]) -> dict[str, Any]:
    """Null for what is never null becomes empty; lists become tuples; a follow-up date implies the follow-up."""
    wanted = {name: _EMPTY.get(name) if value is None else value for name, value in said.items()}
    if "participants" in wanted:
        wanted["participants"] = [p.model_dump(exclude_none=True) for p in wanted["participants"] or ()]
    if wanted.get("follow_up_date") is not None:
        wanted["follow_up_required"] = True
    elif wanted.get("follow_up_required") is False:
        wanted["follow_up_date"] = None
    return {name: tuple(v) if isinstance(v, list) else v for name, v in wanted.items()}


def _present(activity: Activity, name: str) -> Any:
    if name == "duration_minutes":
        return activity.duration_minutes
    if name == "participants":
        return tuple(person.model_dump(exclude_none=True) for person in activity.participants)
    return getattr(activity, name)


def _after(activity: Activity, facts: Facts) -> Activity:
    for fact in facts:
        activity = evolve(activity, fact, 0)
    return activity


def _act(action: Action, activity: Activity, to_complete: dict[str, Any], now: datetime) -> Facts:
    match action:
        case Action.START:
            return start(activity, now=now)
        case Action.DEFER:
            return defer(activity, reason=None, now=now)
        case Action.WAIT:
            return wait(activity, reason=None, now=now)
        case Action.RESUME:
            return resume(activity, now=now)
        case Action.RESCHEDULE:
            return reschedule(activity, due_at=activity.due_at, now=now)
        case Action.CANCEL:
            return cancel(activity, reason=None, now=now)
        case _:
            return complete(activity, Completion.model_construct(**to_complete), now=now)
