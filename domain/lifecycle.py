"""THE transition table: what may be done to an activity in each status, and where that leads.

Every surface is driven by it: routes, bulk actions, `allowed_actions` in each resource and in each 409.
Source: the status table of the SynthesQ guide, completed in REQUIREMENTS section 2.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.vocabulary import Status


class Action(StrEnum):
    START = "start"
    DEFER = "defer"
    WAIT = "wait"
    RESUME = "resume"
    RESCHEDULE = "reschedule"
    COMPLETE = "complete"
    CANCEL = "cancel"
    UPDATE = "update"
    RECREATE = "recreate"
    DELETE = "delete"
    RESTORE = "restore"


_PENDING, _IN_PROGRESS, _DEFERRED = Status.PENDING, Status.IN_PROGRESS, Status.DEFERRED
_WAITING, _COMPLETED, _CANCELLED = Status.WAITING, Status.COMPLETED, Status.CANCELLED

TRANSITIONS: Mapping[Status, Mapping[Action, Status]] = MappingProxyType(
    {
        _PENDING: {
            Action.START: _IN_PROGRESS,
            Action.DEFER: _DEFERRED,
            Action.WAIT: _WAITING,
            Action.RESCHEDULE: _PENDING,
            Action.COMPLETE: _COMPLETED,
            Action.CANCEL: _CANCELLED,
            Action.UPDATE: _PENDING,
            Action.DELETE: _PENDING,
        },
        _IN_PROGRESS: {
            Action.DEFER: _DEFERRED,
            Action.WAIT: _WAITING,
            Action.COMPLETE: _COMPLETED,
            Action.CANCEL: _CANCELLED,
            Action.UPDATE: _IN_PROGRESS,
            Action.DELETE: _IN_PROGRESS,
        },
        _DEFERRED: {
            Action.RESCHEDULE: _PENDING,
            Action.CANCEL: _CANCELLED,
            Action.UPDATE: _DEFERRED,
            Action.DELETE: _DEFERRED,
        },
        _WAITING: {
            Action.RESUME: _PENDING,  # or in_progress, if it was ever started: see `destination`
            Action.RESCHEDULE: _WAITING,
            Action.COMPLETE: _COMPLETED,
            Action.CANCEL: _CANCELLED,
            Action.DELETE: _WAITING,
        },
        _COMPLETED: {
            Action.UPDATE: _COMPLETED,  # notes only: description, outcome, tags
            Action.DELETE: _COMPLETED,
        },
        _CANCELLED: {
            Action.RECREATE: _CANCELLED,  # makes a new activity; this one stays as it is
            Action.DELETE: _CANCELLED,
        },
    }
)

NOTES = frozenset({"description", "outcome", "tags"})
"""What may still be updated on a completed activity."""


def destination(action: Action, status: Status, *, started: bool) -> Status | None:
    """The status `action` leads to from `status`; None where it is not allowed."""
    if action is Action.RESUME and status is _WAITING and started:
        return _IN_PROGRESS
    return TRANSITIONS[status].get(action)


def allowed_actions(status: Status, *, deleted: bool = False) -> tuple[Action, ...]:
    """What may be done now, in the table's order."""
    return (Action.RESTORE,) if deleted else _ALLOWED[status]


def action_leading_to(target: Status, status: Status, *, started: bool) -> Action | None:
    """The one action that leads from `status` to the other status `target`; None where none does."""
    for action in TRANSITIONS[status]:
        if action in _CHANGES_STATUS and destination(action, status, started=started) is target:
            return action
    return None


_ALLOWED = {status: tuple(actions) for status, actions in TRANSITIONS.items()}
_CHANGES_STATUS = frozenset(Action) - {Action.UPDATE, Action.DELETE, Action.RESTORE, Action.RECREATE}
