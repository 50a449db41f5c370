"""What is known of a directory record, and how each fact changes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.record.events import RecordCreated, RecordEvent
from domain.vocabulary import RecordKind


class Record(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    kind: RecordKind
    version: int
    fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        return str(self.fields["name"])


def evolve_record(record: Record | None, fact: RecordEvent, position: int) -> Record:
    """The record after `fact`. Believes every fact."""
    if isinstance(fact, RecordCreated):
        return Record(id=fact.id, kind=fact.kind, version=1, fields=fact.fields, created_at=fact.at, updated_at=fact.at)
    if record is None:
        raise ValueError(f"{fact.name} cannot be the first fact of a record")
    kept = {name: value for name, value in (record.fields | fact.fields).items() if value is not None}
    return record.model_copy(update={"fields": kept, "version": record.version + 1, "updated_at": fact.at})
