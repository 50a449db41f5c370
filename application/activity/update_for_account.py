"""Change an activity in an account's words, where one timestamp and three statuses stand for all there are.

What they mean depends on where the activity is when the change is decided. Then it goes every update's way.
"""

from datetime import datetime
from typing import Any

from application.activity.accounts import AccountCommand, account_of, untitled
from application.activity.update_activity import UpdateActivity, update_activity
from application.command import Context, Decision
from application.event_store.mapper import record_key
from application.streams import Streams
from domain.activity.activity import Activity
from domain.activity.decisions import existing
from domain.activity.drafts import ActivityChanges
from domain.refusals import NotesOnly
from domain.vocabulary import OPEN, RecordKind, Status


class UpdateForAccount(AccountCommand, UpdateActivity):
    """`timestamp` is when the activity is due while it is open, and when it happened once it is completed."""

    timestamp: datetime | None = None


def update_for_account(command: UpdateForAccount, streams: Streams, context: Context) -> Decision:
    activity = existing(streams.activity(command.activity_id))
    changes = command.changes
    said = {name: getattr(changes, name) for name in changes.model_fields_set}
    if said.get("status") is Status.PENDING and activity.status in OPEN:
        del said["status"]
    said |= _timed(activity, said.get("status"), command.timestamp)
    said = _moved(activity, said, streams)
    if "subject" in said and said["subject"] is None:
        account_id = said.get("activityable_id") or account_of(activity, streams)
        said["subject"] = untitled(said.get("type", activity.type), account_id, streams)
    command = command.model_copy(update={"changes": ActivityChanges.model_construct(**said)})
    return update_activity(command, streams, context)


def _timed(activity: Activity, target: Status | None, timestamp: datetime | None) -> dict[str, datetime]:
    if timestamp is None:
        return {}
    if activity.status is Status.COMPLETED:
        if timestamp != activity.completed_at:
            raise NotesOnly(["completed_at"], activity.allowed_actions)
        return {}
    return {"completed_at" if target is Status.COMPLETED else "due_at": timestamp}


def _moved(activity: Activity, said: dict[str, Any], streams: Streams) -> dict[str, Any]:
    """Naming the account it belongs to already is no change, even where a record stands between them."""
    if "activityable_id" not in said:
        return said
    present = account_of(activity, streams)
    named = record_key(RecordKind.ACCOUNT, said["activityable_id"])
    if present is None or record_key(RecordKind.ACCOUNT, present) != named:
        return said
    return {name: value for name, value in said.items() if not name.startswith("activityable_")}
