"""Bodies of the actions on an activity that are not already words of the domain."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    reschedule_date: Instant | None = Field(None, description="When the successor is due")

    @model_validator(mode="after")
    def both_or_neither(self) -> Self:
        if self.reschedule and self.reschedule_date is None:
            raise ValueError("reschedule needs a reschedule_date")
        if self.reschedule_date is not None and not self.reschedule:
            raise ValueError("reschedule_date needs reschedule: true")
        return self


class Rescheduling(Body):
    """Source: SynthesQ guide, "Rescheduling Activities", and scenario 2 for priority."""

    new_due_at: Instant
    reason: Text | None = None
    update_reminder: Flag = True
    priority: Priority | None = None
