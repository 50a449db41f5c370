"""Facts of erasures, one stream an organisation. Names and fields are stored for ever, and hold nothing personal."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class ErasureFact(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    at: datetime


class ErasureBegun(ErasureFact):
    """From now on nothing personal is recorded of the person. `kind` is a record's, or external; then without an id."""

    name = "erasure.begun.v1"
    id: str
    kind: str
    record_id: str | None = None
    basis: str
    reference: str | None = None


class ErasureCompleted(ErasureFact):
    """The person's key is destroyed. `activities` said something of the person."""

    name = "erasure.completed.v1"
    id: str
    activities: int


ErasureEvent = ErasureBegun | ErasureCompleted
