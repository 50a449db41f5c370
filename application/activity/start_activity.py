"""Begin to work on an activity."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import start


class StartActivity(ActivityCommand):
    pass


def start_activity(command: StartActivity, streams: Streams, context: Context) -> Decision:
    return decided(command, start(streams.activity(command.activity_id), now=context.now))
