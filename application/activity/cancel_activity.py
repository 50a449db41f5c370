"""Cancel an activity, and schedule its successor in the same transaction where one is wanted."""

from dataclasses import replace
from datetime import datetime

from pydantic import Field

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.event_store.mapper import activity_key
from application.streams import Streams
from application.ulids import new_ulid
from domain.activity.creation import succeed
from domain.activity.decisions import cancel


class CancelActivity(ActivityCommand):
    reason: str | None = None
    reschedule_date: datetime | None = None
    successor_id: str = Field(default_factory=new_ulid)


def cancel_activity(command: CancelActivity, streams: Streams, context: Context) -> Decision:
    activity = streams.activity(command.activity_id)
    due_at = command.reschedule_date
    successor_id = None if due_at is None else command.successor_id
    facts = cancel(activity, reason=command.reason, successor_id=successor_id, now=context.now)
    decision = decided(command, facts)
    if due_at is None:
        return decision
    successor = succeed(
        activity,
        id=command.successor_id,
        due_at=due_at,
        actor=command.actor.user_id,
        currency=context.policy.currency,
        now=context.now,
    )
    return replace(decision, facts=[*decision.facts, (activity_key(command.successor_id), successor)])
