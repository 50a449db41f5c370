"""Bring a deleted activity back as it was."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import restore


class RestoreActivity(ActivityCommand):
    pass


def restore_activity(command: RestoreActivity, streams: Streams, context: Context) -> Decision:
    return decided(command, restore(streams.activity(command.activity_id), now=context.now))
