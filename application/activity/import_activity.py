"""Bring in an activity of another system: made the first time, afterwards changed where it differs (upsert)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from application.activity.commands import ActivityCommand, check_references, decided, follow_up_key, one_of
from application.command import Context, Decision
from application.event_store.mapper import State
from application.event_store.persons import person_of
from application.streams import Streams, keys_of_references
from application.ulids import ulid_of
from domain.activity.activity import Activity
from domain.activity.creation import create
from domain.activity.drafts import ActivityChanges, NewActivity
from domain.activity.updating import update

_IMPORTED = UUID("5f3c7a52-9a3e-5b0c-8f0d-2d6c0f3f9b11")  # for ever: ids of imported activities derive from it


def imported_id(external_id: str) -> str:
    """The id an external id always gets: so an import can be run again."""
    return ulid_of(uuid5(_IMPORTED, external_id))


class ImportActivity(ActivityCommand):
    """`activity_id` must be `imported_id(external_id)`."""

    external_id: str
    new: NewActivity

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        new = self.new
        referred = keys_of_references(
            new.activityable_type, new.activityable_id, new.contact_id, new.assigned_user_id, self.actor.user_id
        )
        return {self.subject()} | referred | follow_up_key(new.follow_up_of_id)

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return super().people(known) | one_of(person_of(self.new))


def import_activity(command: ImportActivity, streams: Streams, context: Context) -> Decision:
    new, me = command.new, command.actor.user_id
    activity = streams.activity(command.activity_id)
    said = {name: getattr(new, name) for name in new.model_fields_set}
    check_references(said, activity, me, streams, context)
    if activity is None:
        facts = create(
            new,
            id=command.activity_id,
            actor=me,
            currency=context.policy.currency,
            now=context.now,
            external_id=command.external_id,
        )
    else:
        facts = update(activity, _changes(activity, said), currency=context.policy.currency, now=context.now)
    return decided(command, facts)


def _changes(activity: Activity, said: dict[str, Any]) -> ActivityChanges:
    """What a line says of an activity there is already. When it was completed is settled once it was."""
    if activity.completed_at is not None:
        said.pop("completed_at", None)
    said.pop("create_follow_up", None)
    return ActivityChanges.model_construct(**said)
