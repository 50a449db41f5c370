"""What a caller says of an erasure: on what ground."""

from pydantic import BaseModel, ConfigDict, Field

from domain.values import Flag, Line
from domain.vocabulary import Word


class Basis(Word):
    """The grounds of Article 17 (1) of the GDPR."""

    NO_LONGER_NEEDED = "no_longer_needed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    LEGAL_OBLIGATION = "legal_obligation"
    CHILD = "child"


class Erasure(BaseModel):
    """`reference` is kept for ever: a case number, never a name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    basis: Basis
    reference: Line | None = Field(None, description="A case number; kept for ever, so never a name")
    dry_run: Flag = Field(False, description="Only say how much there is; erase nothing")


class ParticipantErasure(Erasure):
    """An outsider is known by an email address alone."""

    email: Line = Field(min_length=3, pattern="@", description="In any case")
