"""What an erasure is answered with."""

from pydantic import BaseModel, Field

from api.openapi.shapes.envelope import Answer
from domain.erasure.drafts import Basis


class Erased(BaseModel):
    """What was erased, or would be."""

    erasure_id: str | None = Field(description="By this id the log speaks of it; null where nothing was erased")
    kind: str = Field(description="Whose data: of which kind of record, or external")
    id: str | None = Field(description="The record; null for an outsider, of whom nothing is kept")
    basis: Basis
    reference: str | None
    activities: int = Field(description="How many activities said something of the person")
    in_plain: int = Field(
        description="Facts an earlier release stored in plain that were never sealed: the log keeps what they say"
    )
    dry_run: bool
    already: bool = Field(description="Whether it was erased before")


class ErasureAnswer(Answer[Erased]):
    """An erasure."""
