"""The aggregate, in the library's own style."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from domain.lifecycle import TRANSITIONS, Action
from domain.vocabulary import Status


class NotAllowed(Exception):
    """The action is not allowed in this status."""


class Activity(Aggregate):
    @event("Created")
    def __init__(self, organization_id: str, created_by: str, said: dict[str, Any]) -> None:
        self.organization_id = organization_id
        self.created_by = created_by
        self.status = Status.PENDING.value
        self.rescheduled_count = 0
        self.fields: dict[str, Any] = dict(said)

    def reschedule(self, due_at: datetime, reminder_at: datetime | None, reason: str | None) -> None:
        self._allow(Action.RESCHEDULE)
        self._reschedule(due_at.isoformat(), reminder_at.isoformat() if reminder_at else None, reason)

    def complete(self, said: dict[str, Any]) -> None:
        self._allow(Action.COMPLETE)
        self._complete(said, datetime.now(UTC).isoformat())

    def update(self, changes: dict[str, Any]) -> None:
        self._allow(Action.UPDATE)
        self._update(changes)

    def _allow(self, action: Action) -> None:
        if action not in TRANSITIONS[Status(self.status)]:
            raise NotAllowed(action)

    @event("Rescheduled")
    def _reschedule(self, due_at: str, reminder_at: str | None, reason: str | None) -> None:
        self.fields |= {"previous_due_at": self.fields.get("due_at"), "due_at": due_at, "reminder_at": reminder_at}
        self.rescheduled_count += 1

    @event("Completed")
    def _complete(self, said: dict[str, Any], completed_at: str) -> None:
        self.status = Status.COMPLETED.value
        tags = [*self.fields.get("tags", ()), *said.get("tags", ())]
        self.fields |= said | {"completed_at": completed_at, "tags": tags}

    @event("Updated")
    def _update(self, changes: dict[str, Any]) -> None:
        self.fields |= changes


class Activities(Application[UUID]):
    pass


def shown(activity: Activity) -> dict[str, Any]:
    """The activity as JSON."""
    return {
        "id": activity.id,
        "version": activity.version,
        "status": activity.status,
        "rescheduled_count": activity.rescheduled_count,
        "created_by": {"id": activity.created_by},
        "created_at": activity.created_on,
        "updated_at": activity.modified_on,
        **activity.fields,
    }
