"""How an activity differs between two moments."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.openapi.shapes.activity import Change, RecordedBy
from api.openapi.shapes.envelope import Answer


class Cause(RecordedBy, Change):
    """A fact that changed the field, and what it changed it from and to."""


class FieldDiff(Change):
    """A field that differs, with the facts that made it so, oldest first."""

    events: list[Cause] = Field(description="The facts that changed it in between")


class Place(BaseModel):
    """The last fact that counts at a moment."""

    version: int = Field(description="The version it made")
    position: int
    recorded_at: datetime


class Diff(BaseModel):
    """What differs between two moments, field by field. What was changed and changed back does not."""

    by: Literal["known_at", "happened_at"] = Field(description="By what was known at each moment, or had happened")
    start: Place | None = Field(alias="from", description="Where it starts; null: before there was anything")
    end: Place | None = Field(alias="to", description="Where it ends; null: before there was anything")
    changes: dict[str, FieldDiff]


class DiffAnswer(Answer[Diff]):
    """How one activity differs between two moments."""
