"""Create an activity for an account; without a title its subject says what it is, and with whom."""

from application.activity.accounts import untitled
from application.activity.create_activity import CreateActivity, create_activity
from application.command import Context, Decision
from application.streams import Streams


class CreateForAccount(CreateActivity):
    titled: bool = True
    """Whether the subject is the caller's; else it is made here, of the account's name as of the decision."""


def create_for_account(command: CreateForAccount, streams: Streams, context: Context) -> Decision:
    if not command.titled:
        new = command.new
        subject = untitled(new.type, new.activityable_id, streams)
        command = command.model_copy(update={"new": new.model_copy(update={"subject": subject})})
    return create_activity(command, streams, context)
