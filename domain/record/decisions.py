"""Decisions about one record: made anew, changed, or made sure of (upsert)."""

from datetime import datetime

from domain.record.drafts import RecordDraft
from domain.record.events import RecordCreated, RecordEvent, RecordUpdated
from domain.record.record import Record
from domain.refusals import Invalid, Unknown
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
    different = {name: value for name, value in draft.said().items() if not same(value, record.fields.get(name))}
    return [RecordUpdated(at=now, fields=different)] if different else []


def put_record(
    record: Record | None, draft: RecordDraft, *, id: str, kind: RecordKind, now: datetime
) -> list[RecordEvent]:
    """Make the record under the caller's own id, or merge what was said into the one there is."""
    if record is None:
        return create_record(draft, id=id, kind=kind, now=now)
    return update_record(record, draft, kind=kind, now=now)
