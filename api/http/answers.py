"""Receipts put into words: what a command is answered with."""

from collections.abc import Callable, Sequence

from api.http.envelope import enveloped, etag
from application.api_key.listing import shown_key
from application.api_key.secrets import KeyText
from application.command import Answer, Receipt
from domain.activity.activity import Activity
from projections.directory.projection import document as record_document
from projections.resource import resource, to_json

Warnings = Sequence[dict[str, str]]
NO_OUTCOME: Warnings = (
    {"code": "outcome_missing", "message": "Document the outcome: it gives context to future interactions"},
)


def activity_answer(message: str, status: int = 200) -> Callable[[Receipt], Answer]:
    """The full resource of the activity the command was about."""

    def answer(receipt: Receipt) -> Answer:
        activity = receipt.streams.activity_at(receipt.subject)
        assert activity is not None  # a command that succeeded was about an activity
        body = enveloped(
            message,
            resource(activity, receipt.streams.record, receipt.now),
            warnings=_warnings(activity, receipt),
        )
        return Answer(status, body, {"ETag": etag(activity.version, body)})

    return answer


def _warnings(activity: Activity, receipt: Receipt) -> Warnings:
    completed_now = activity.completed_at is not None and activity.updated_at == receipt.now
    lacking = completed_now and activity.outcome is None and activity.deleted_at is None
    return NO_OUTCOME if lacking else ()


def record_answer(noun: str) -> Callable[[Receipt], Answer]:
    """The record, 201 where the command made it."""

    def answer(receipt: Receipt) -> Answer:
        record = receipt.streams.record_at(receipt.subject)
        assert record is not None  # a command that succeeded was about a record
        made = bool(receipt.details.get("made"))
        message = f"{noun} {'created' if made else 'updated'} successfully"
        body = enveloped(message, record_document(record))
        return Answer(201 if made else 200, body, {"ETag": etag(record.version, body)})

    return answer


def api_key_answer(done: str, status: int = 200, key: KeyText | None = None) -> Callable[[Receipt], Answer]:
    """The key as it may be shown, with its text where it was just made."""

    def answer(receipt: Receipt) -> Answer:
        state = receipt.streams.api_key_at(receipt.subject)
        assert state is not None  # a command that succeeded was about a key
        text = {} if key is None else {"key": str(key)}
        body = enveloped(f"API key {done} successfully", to_json(shown_key(state) | text))
        return Answer(status, body, replayed=bool(receipt.details.get("repeated")))

    return answer
