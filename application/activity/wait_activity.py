"""Stop working on an activity until something outside has happened.:"""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import wait


class WaitActivity(ActivityCommand):
    reason: str | None = None


def wait_activity(command: WaitActivity, streams: Streams, context: Context) -> Decision:
    activity = streams.activity(command.activity_id)
    return decided(command, wait(activity, reason=command.reason, now=context.now))
