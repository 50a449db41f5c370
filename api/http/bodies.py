"""Bodies of the actions on an activity that are not already words of the domain."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from domain.values import Flag, Instant, Text
from domain.vocabulary import Priority


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Body):
    """An action that needs no words takes none, or an empty object."""


class Reason(Body):
    reason: Text | None = None


class Cancellation(Body):
    """Source: SynthesQ guide, "Cancelling Activities". A date without reschedule, or the reverse, is refused."""

    reason: Text | None = None
    reschedule: Flag = False
    reschedule_date: Instant | None = Field(None, description="When the successor is due", validate_default=True)

    @field_validator("reschedule_date")
    @classmethod
    def both_or_neither(cls, date: datetime | None, said: ValidationInfo) -> datetime | None:
        wanted = said.data.get("reschedule")
        if wanted and date is None:
            raise ValueError("is needed with reschedule: true")
        if date is not None and wanted is False:
            raise ValueError("is only for reschedule: true")
        return date


class Rescheduling(Body):
    """Source: SynthesQ guide, "Rescheduling Activities", and scenario 2 for priority."""

    new_due_at: Instant
    reason: Text | None = None
    update_reminder: Flag = True
    priority: Priority | None = None
