"""Whose account an activity belongs to: the one it is about, or the one that the record it is about names.

Surface T knows an activity by its account only: one that belongs to none does not exist there.
"""

from collections.abc import Mapping
from uuid import UUID

from application.activity.commands import ActivityCommand
from application.command import Context, Decision, Handler
from application.event_store.mapper import State, record_key
from application.streams import Streams
from domain.activity.activity import Activity
from domain.activity.decisions import existing
from domain.record.record import Record
from domain.refusals import Unknown
from domain.values import SHORT_LINE
from domain.vocabulary import ActivityType, RecordKind, RelatedType


class AccountCommand(ActivityCommand):
    """A command on an activity as its account's: needs the account too, which the related record may name."""

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        keys = super().keys(known)
        activity = known.get(self.subject())
        if not isinstance(activity, Activity):
            return keys
        related = known.get(record_key(activity.activityable_type, activity.activityable_id))
        account_id = account_id_of(activity, related if isinstance(related, Record) else None)
        return keys if account_id is None else keys | {record_key(RecordKind.ACCOUNT, account_id)}


def account_id_of(activity: Activity, related: Record | None) -> str | None:
    """The account an activity belongs to, given the record it is about."""
    if activity.activityable_type is RelatedType.ACCOUNT:
        return activity.activityable_id
    return None if related is None else related.fields.get("account_id")


def account_of(activity: Activity, streams: Streams) -> str | None:
    return account_id_of(activity, streams.record(activity.activityable_type, activity.activityable_id))


def of_an_account(handler: Handler) -> Handler:
    """The handler, for activities that belong to an account; others are unknown to it."""

    def decide(command: ActivityCommand, streams: Streams, context: Context) -> Decision:
        activity = existing(streams.activity(command.activity_id))
        if account_of(activity, streams) is None:
            raise Unknown("Activity")
        return handler(command, streams, context)

    return decide


def untitled(type_: ActivityType, account_id: str | None, streams: Streams) -> str:
    """The subject of an activity nobody gave a title: what, and with whom."""
    account = streams.record(RecordKind.ACCOUNT, account_id)
    whom = account_id if account is None else account.name
    return f"{type_.label} with {whom}"[:SHORT_LINE].rstrip() if whom else type_.label
