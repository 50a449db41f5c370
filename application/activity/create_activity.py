"""Create an activity, and the follow-up it may ask for, in one transaction."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from application.activity.commands import check_references, follow_up_key, one_of
from application.activity.follow_up import followed_up
from application.command import Command, Context, Decision
from application.event_store.mapper import State, activity_key
from application.event_store.persons import person_of
from application.streams import Streams, keys_of_references
from application.ulids import new_ulid
from domain.activity.creation import create
from domain.activity.drafts import NewActivity


class CreateActivity(Command):
    new: NewActivity
    cancelled: bool = False
    activity_id: str = Field(default_factory=new_ulid)
    follow_up_id: str = Field(default_factory=new_ulid)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        new, me = self.new, self.actor.user_id
        referred = keys_of_references(
            new.activityable_type, new.activityable_id, new.contact_id, new.assigned_user_id, me
        )
        return referred | follow_up_key(new.follow_up_of_id)

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return one_of(person_of(self.new))


def create_activity(command: CreateActivity, streams: Streams, context: Context) -> Decision:
    new, me = command.new, command.actor.user_id
    said = {name: getattr(new, name) for name in new.model_fields_set}
    check_references(said, None, me, streams, context)
    facts = create(
        new,
        id=command.activity_id,
        actor=me,
        currency=context.policy.currency,
        now=context.now,
        cancelled=command.cancelled,
    )
    key = activity_key(command.activity_id)
    decision = Decision(key, [(key, facts)])
    if not new.create_follow_up:
        return decision
    return followed_up(decision, None, new.follow_up_date, command.follow_up_id, command, context)
