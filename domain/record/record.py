"""What is known of a directory record, and how each fact changes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.personal_data import without_person
from domain.record.events import RecordCreated, RecordErased, RecordEvent
from domain.vocabulary import RecordKind


class Record(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    kind: RecordKind
    version: int
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None = None

    @property
    def name(self) -> str:
        return str(self.fields["name"])


def evolve_record(record: Record | None, fact: RecordEvent) -> Record:
    """The record after `fact`. Believes every fact."""
    if isinstance(fact, RecordCreated):
        return Record(id=fact.id, kind=fact.kind, version=1, fields=fact.fields, created_at=fact.at, updated_at=fact.at)
    if isinstance(fact, RecordErased):
        return _erased(record, fact)
    if record is None:
        raise ValueError(f"{fact.name} cannot be the first fact of a record")
    kept = {name: value for name, value in (record.fields | fact.fields).items() if value is not None}
    return record.model_copy(update={"fields": kept, "version": record.version + 1, "updated_at": fact.at})


def _erased(record: Record | None, fact: RecordErased) -> Record:
    """Closed. A person known by activities alone had no record: then there is one now, to say that it is closed."""
    if record is None:
        record = Record(id=fact.id, kind=fact.kind, version=0, fields={}, created_at=fact.at, updated_at=fact.at)
    left = without_person(record.kind, record.fields)
    return record.model_copy(
        update={"fields": left, "version": record.version + 1, "updated_at": fact.at, "erased_at": fact.at}
    )
