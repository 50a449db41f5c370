"""Park an activity on purpose: it is not overdue until it is rescheduled."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import defer


class DeferActivity(ActivityCommand):
    reason: str | None = None


def defer_activity(command: DeferActivity, streams: Streams, context: Context) -> Decision:
    activity = streams.activity(command.activity_id)
    return decided(command, defer(activity, reason=command.reason, now=context.now))
