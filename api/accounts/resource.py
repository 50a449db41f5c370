"""An activity as its account sees it: the same JSON from a state and from a row of the read tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.accounts.words import status_shown, type_shown
from api.http.envelope import enveloped, etag
from application.activity.accounts import account_of
from application.command import Answer, Receipt
from application.streams import Streams
from domain.activity.activity import Activity
from domain.vocabulary import RecordKind, Status
from projections.resource import fields_of, to_json


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside the activity's own fields: projections.activity_list.by_account.COLUMNS."""

    number: int
    account_id: str | None
    account: str | None
    creator_id: str
    creator: str | None
    creator_email: str | None


def shown(fields: Mapping[str, Any], beside: Beside) -> dict[str, Any]:
    status = Status(fields["status"])
    return {
        "id": beside.number,
        "uid": fields["id"],
        "accountId": beside.account_id,
        "account": beside.account,
        "activityTimestamp": fields["completed_at" if status is Status.COMPLETED else "due_at"],
        "duration": fields["duration_minutes"],
        "location": fields["location"],
        "type": type_shown(fields["type"]),
        "status": status_shown(status),
        "statusConfiguration": {"value": status.upper(), "label": status.label},
        "title": fields["subject"],
        "description": fields["description"],
        "participants": fields["participants"],
        "attachmentUrls": fields["attachment_urls"],
        "isActive": fields["deleted_at"] is None,
        "creator": beside.creator,
        "creatorId": beside.creator_id,
        "creatorEmail": beside.creator_email,
        "createdAt": fields["created_at"],
        "updatedAt": fields["updated_at"],
        "deletedAt": fields["deleted_at"],
    }


def of_row(document: str, columns: Sequence[Any]) -> dict[str, Any]:
    return shown(orjson.loads(document), Beside(*columns))


def of_state(activity: Activity, streams: Streams) -> dict[str, Any]:
    account_id = account_of(activity, streams)
    account = streams.record(RecordKind.ACCOUNT, account_id)
    creator = streams.record(RecordKind.USER, activity.created_by)
    return shown(
        fields_of(activity),
        Beside(
            activity.number,
            account_id if account is None else account.id,
            None if account is None else account.name,
            activity.created_by,
            None if creator is None else creator.name,
            None if creator is None else creator.fields.get("email"),
        ),
    )


def account_answer(message: str, status: int = 200) -> Callable[[Receipt], Answer]:
    """The activity a command was about, in this surface's words."""

    def answer(receipt: Receipt) -> Answer:
        activity = receipt.streams.activity_at(receipt.subject)
        assert activity is not None  # a command that succeeded was about an activity
        body = enveloped(message, to_json(of_state(activity, receipt.streams)))
        return Answer(status, body, {"ETag": etag(activity.version, body)})

    return answer
