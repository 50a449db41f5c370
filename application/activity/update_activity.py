"""Change some fields of an activity; a due date or a status among them goes the lifecycle's way."""

from collections.abc import Mapping
from uuid import UUID

from application.activity.commands import ActivityCommand, check_references, decided, follow_up_key
from application.command import Context, Decision
from application.event_store.mapper import State
from application.streams import Streams, keys_of_references
from domain.activity.activity import Activity
from domain.activity.decisions import existing
from domain.activity.drafts import ActivityChanges
from domain.activity.updating import update


class UpdateActivity(ActivityCommand):
    changes: ActivityChanges

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        changes = self.changes
        activity = known.get(self.subject())
        kind, record_id = changes.activityable_type, changes.activityable_id
        if isinstance(activity, Activity):
            kind = kind or activity.activityable_type
            record_id = record_id or activity.activityable_id
        referred = keys_of_references(kind, record_id, changes.contact_id, changes.assigned_user_id)
        return super().keys(known) | referred | follow_up_key(changes.follow_up_of_id)


def update_activity(command: UpdateActivity, streams: Streams, context: Context) -> Decision:
    activity = existing(streams.activity(command.activity_id))
    changes = command.changes
    said = {
        name: getattr(changes, name)
        for name in changes.model_fields_set
        if getattr(changes, name) != getattr(activity, name, None)
    }
    check_references(said, activity, command.actor.user_id, streams, context)
    return decided(command, update(activity, changes, currency=context.policy.currency, now=context.now))
