"""Go on with an activity: what it waited for has happened."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import resume


class ResumeActivity(ActivityCommand):
    pass


def resume_activity(command: ResumeActivity, streams: Streams, context: Context) -> Decision:
    return decided(command, resume(streams.activity(command.activity_id), now=context.now))
