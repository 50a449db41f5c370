"""Complete an activity: what came of it, how long it took, and whether to follow up."""

from pydantic import Field

from application.activity.commands import ActivityCommand, decided
from application.activity.follow_up import followed_up
from application.command import Context, Decision
from application.streams import Streams
from application.ulids import new_ulid
from domain.activity.decisions import complete
from domain.activity.drafts import Completion


class CompleteActivity(ActivityCommand):
    completion: Completion
    follow_up_id: str = Field(default_factory=new_ulid)


def complete_activity(command: CompleteActivity, streams: Streams, context: Context) -> Decision:
    activity = streams.activity(command.activity_id)
    completion = command.completion
    decision = decided(command, complete(activity, completion, now=context.now))
    if not completion.create_follow_up:
        return decision
    on = completion.follow_up_date
    return followed_up(decision, activity, on, command.follow_up_id, command, context)
