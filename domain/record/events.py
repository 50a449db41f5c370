"""Facts of a directory record. Names and fields are stored for ever; `fields` holds plain JSON values."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from domain.vocabulary import RecordKind


class RecordFact(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    at: datetime


class RecordCreated(RecordFact):
    name = "record.created.v1"
    id: str
    kind: RecordKind
    fields: dict[str, Any]


class RecordUpdated(RecordFact):
    """Only the fields that changed; null means cleared."""

    name = "record.updated.v1"
    fields: dict[str, Any]


class RecordErased(RecordFact):
    """The person's data are erased, and the record is closed. It says which it was: there may have been none before."""

    name = "record.erased.v1"
    id: str
    kind: RecordKind


RecordEvent = RecordCreated | RecordUpdated | RecordErased
