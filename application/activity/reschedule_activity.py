"""Move an activity's due date, and its reminder with it."""

from datetime import datetime

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import reschedule
from domain.vocabulary import Priority


class RescheduleActivity(ActivityCommand):
    new_due_at: datetime
    reason: str | None = None
    update_reminder: bool = True
    priority: Priority | None = None


def reschedule_activity(command: RescheduleActivity, streams: Streams, context: Context) -> Decision:
    facts = reschedule(
        streams.activity(command.activity_id),
        due_at=command.new_due_at,
        reason=command.reason,
        update_reminder=command.update_reminder,
        priority=command.priority,
        now=context.now,
    )
    return decided(command, facts)
