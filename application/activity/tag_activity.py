"""Add tags to an activity, or take some away; both count as an update."""

from application.activity.commands import ActivityCommand, decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import existing
from domain.activity.drafts import ActivityChanges
from domain.activity.updating import update
from domain.refusals import Invalid
from domain.values import MOST_TAGS


class AddTags(ActivityCommand):
    tags: list[str]


class RemoveTags(ActivityCommand):
    tags: list[str]


def add_tags(command: AddTags, streams: Streams, context: Context) -> Decision:
    activity = existing(streams.activity(command.activity_id))
    tags = list(dict.fromkeys([*activity.tags, *command.tags]))
    if len(tags) > MOST_TAGS:
        raise Invalid("tags", f"An activity has at most {MOST_TAGS} tags")
    return _retagged(command, tags, streams, context)


def remove_tags(command: RemoveTags, streams: Streams, context: Context) -> Decision:
    activity = existing(streams.activity(command.activity_id))
    return _retagged(command, [tag for tag in activity.tags if tag not in command.tags], streams, context)


def _retagged(command: ActivityCommand, tags: list[str], streams: Streams, context: Context) -> Decision:
    changes = ActivityChanges.model_construct(tags=tags)
    activity = streams.activity(command.activity_id)
    return decided(command, update(activity, changes, currency=context.policy.currency, now=context.now))
