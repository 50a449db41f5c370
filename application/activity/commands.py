"""What the commands on one activity have in common: which activity, and the records its answer speaks of."""

from collections.abc import Mapping
from uuid import UUID

from application.command import Command, Context, Decision
from application.event_store.mapper import State, activity_key
from application.event_store.persons import person_of
from application.streams import Streams, keys_around
from domain.activity.activity import Activity
from domain.activity.decisions import Facts
from domain.record.record import Record
from domain.refusals import RelatedEntityNotFound
from domain.vocabulary import RecordKind


class ActivityCommand(Command):
    activity_id: str

    def subject(self) -> UUID:
        return activity_key(self.activity_id)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        key = self.subject()
        state = known.get(key)
        return {key} | (keys_around(state) if isinstance(state, Activity) else set())

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        activity = known.get(self.subject())
        return one_of(person_of(activity)) if isinstance(activity, Activity) else set()


def one_of(person: UUID | None) -> set[UUID]:
    return set() if person is None else {person}


def decided(command: ActivityCommand, facts: Facts) -> Decision:
    key = command.subject()
    return Decision(key, [(key, facts)])


def check_references(
    said: Mapping[str, object], activity: Activity | None, actor: str, streams: Streams, context: Context
) -> None:
    """Refuse references to records this organisation does not have, among the fields that were said.

    Callers need no user record; follow_up_of_id must be known in lenient mode too. Source: REQUIREMENTS section 3.
    """
    if said.get("follow_up_of_id") is not None:
        check_follow_up_of(str(said["follow_up_of_id"]), streams)
    if not context.policy.strict_references:
        return
    if "activityable_id" in said or "activityable_type" in said:
        kind = said.get("activityable_type") or (activity and activity.activityable_type)
        record_id = said.get("activityable_id") or (activity and activity.activityable_id)
        if not _there(streams.record(str(kind), str(record_id))):
            raise RelatedEntityNotFound("activityable_id")
    contact = said.get("contact_id")
    if contact is not None and not _there(streams.record(RecordKind.CONTACT, str(contact))):
        raise RelatedEntityNotFound("contact_id")
    assignee = said.get("assigned_user_id")
    if assignee is not None and assignee != actor and not _there(streams.record(RecordKind.USER, str(assignee))):
        raise RelatedEntityNotFound("assigned_user_id")


def _there(record: Record | None) -> bool:
    """Nothing new refers to a person who was erased."""
    return record is not None and record.erased_at is None


def check_follow_up_of(activity_id: str, streams: Streams) -> None:
    key = key_or_none(activity_id)
    activity = None if key is None else streams.activity_at(key)
    if activity is None or activity.deleted_at is not None:
        raise RelatedEntityNotFound("follow_up_of_id")


def key_or_none(activity_id: str | None) -> UUID | None:
    """The stream of an activity id that came from outside; None where it cannot be one."""
    if activity_id is None:
        return None
    try:
        return activity_key(activity_id)
    except ValueError:
        return None


def follow_up_key(activity_id: str | None) -> set[UUID]:
    key = key_or_none(activity_id)
    return set() if key is None else {key}
