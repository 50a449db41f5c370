"""Make a new activity like a cancelled one, otherwise where asked."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from application.activity.commands import ActivityCommand, check_references
from application.command import Context, Decision
from application.event_store.mapper import State, activity_key
from application.streams import Streams, keys_of_references
from application.ulids import new_ulid
from domain.activity.activity import Activity
from domain.activity.creation import recreate
from domain.activity.decisions import allowing
from domain.activity.drafts import Recreation
from domain.lifecycle import Action


class RecreateActivity(ActivityCommand):
    changes: Recreation
    recreation_id: str = Field(default_factory=new_ulid)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        changes = self.changes
        activity = known.get(self.subject())
        kind, record_id = changes.activityable_type, changes.activityable_id
        if isinstance(activity, Activity):
            kind = kind or activity.activityable_type
            record_id = record_id or activity.activityable_id
        me = self.actor.user_id
        return super().keys(known) | keys_of_references(
            kind, record_id, changes.contact_id, changes.assigned_user_id, me
        )


def recreate_activity(command: RecreateActivity, streams: Streams, context: Context) -> Decision:
    activity = allowing(Action.RECREATE, streams.activity(command.activity_id))
    changes, me = command.changes, command.actor.user_id
    said = {name: getattr(changes, name) for name in changes.model_fields_set}
    check_references(said, activity, me, streams, context)
    facts = recreate(
        activity,
        changes,
        id=command.recreation_id,
        actor=me,
        currency=context.policy.currency,
        now=context.now,
    )
    key = activity_key(command.recreation_id)
    return Decision(key, [(key, facts)])
