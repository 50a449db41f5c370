"""What a record's state means for the directory."""

from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from domain.record.record import Record
from domain.vocabulary import RecordKind
from projections.read_model import ReadModel
from projections.resource import details, shown_fields, summary, to_json
from projections.table import Table

TABLE = Table(
    "directory",
    "record_key",
    tuple(
        "organization_id record_key kind id name email account_key value version created_at updated_at "
        "summary details document".split()
    ),
)


def document(record: Record) -> bytes:
    """The whole record as its own resource."""
    head = {"id": record.id, "kind": record.kind}
    closed = {} if record.erased_at is None else {"erased_at": record.erased_at}
    tail = {"version": record.version, "created_at": record.created_at, "updated_at": record.updated_at} | closed
    return to_json({**head, **shown_fields(record), **tail})


def row(organization_id: str, key: UUID, record: Record) -> dict[str, Any]:
    fields = record.fields
    account = fields.get("account_id")
    return {
        "organization_id": organization_id,
        "record_key": key,
        "kind": record.kind,
        "id": record.id,
        "name": record.name,
        "email": fields.get("email"),
        "account_key": None if account is None else record_key(RecordKind.ACCOUNT, account),
        "value": fields.get("value"),
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "summary": to_json(summary(record)).decode(),
        "details": to_json(details(record)).decode(),
        "document": document(record).decode(),
    }


MODEL = ReadModel(TABLE, Record, row)
