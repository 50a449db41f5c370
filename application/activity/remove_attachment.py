"""Take one attachment off an activity, by its place among them as of the decision."""

from application.activity.accounts import AccountCommand
from application.activity.commands import decided
from application.command import Context, Decision
from application.streams import Streams
from domain.activity.decisions import existing
from domain.activity.drafts import ActivityChanges
from domain.activity.updating import update
from domain.refusals import Unknown


class RemoveAttachment(AccountCommand):
    """`place` counts from 0."""

    place: int


def remove_attachment(command: RemoveAttachment, streams: Streams, context: Context) -> Decision:
    activity = existing(streams.activity(command.activity_id))
    urls = list(activity.attachment_urls)
    if not 0 <= command.place < len(urls):
        raise Unknown("Attachment")
    del urls[command.place]
    changes = ActivityChanges.model_construct(attachment_urls=urls)
    return decided(command, update(activity, changes, currency=context.policy.currency, now=context.now))
