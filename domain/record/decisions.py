"""Decisions about one record: made anew, changed, or made sure of (upsert)."""

from datetime import datetime

from domain.record.drafts import RecordDraft
from domain.record.events import RecordCreated, RecordErased, RecordEvent, RecordUpdated
from domain.record.record import Record
from domain.refusals import Erased, Invalid, Unknown
from domain.values import same
from domain.vocabulary import RecordKind


def create_record(draft: RecordDraft, *, id: str, kind: RecordKind, now: datetime) -> list[RecordEvent]:
    said = {name: value for name, value in draft.said().items() if value is not None}
    if "name" not in said:
        raise Invalid("name", "Field required")
    return [RecordCreated(at=now, id=id, kind=kind, fields=said)]


def update_record(record: Record | None, draft: RecordDraft, *, kind: RecordKind, now: datetime) -> list[RecordEvent]:
    """Merge what was said; what already is as said is no change."""
    if record is None:
        raise Unknown(kind.value.capitalize())
    if record.erased_at is not None:
        raise Erased(kind.value.capitalize())
    different = {name: value for name, value in draft.said().items() if not same(value, record.fields.get(name))}
    return [RecordUpdated(at=now, fields=different)] if different else []


def put_record(
    record: Record | None, draft: RecordDraft, *, id: str, kind: RecordKind, now: datetime
) -> list[RecordEvent]:
    """Make the record under the caller's own id, or merge what was said into the one there is."""
    if record is None:
        return create_record(draft, id=id, kind=kind, now=now)
    return update_record(record, draft, kind=kind, now=now)


def erase_record(record: Record | None, *, id: str, kind: RecordKind, now: datetime) -> list[RecordEvent]:
    """Close the record of a person for good. Said twice, recorded once."""
    if record is not None and record.erased_at is not None:
        return []
    return [RecordErased(at=now, id=id if record is None else record.id, kind=kind)]
