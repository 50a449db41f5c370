"""Delete an activity softly: out of sight, kept in history, restorable."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import delete


class DeleteActivity(ActivityCommand):
    pass


def delete_activity(command: DeleteActivity, streams: Streams, context: Context) -> Decision:
    return decided(command, delete(streams.activity(command.activity_id), now=context.now))
