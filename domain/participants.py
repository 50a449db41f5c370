"""Who takes part in an activity."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.values import Flag, Line, Reference

MOST_PEOPLE = 200


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


_IN_ANY_CASE = BeforeValidator(_lower)


class Participant(BaseModel):
    """Someone who takes part: a user, a contact, or an outsider known by name or email."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[Literal["user", "contact", "external"], _IN_ANY_CASE] = "user"
    id: Reference | None = None
    email: Line | None = None
    name: Line | None = None
    role: Annotated[Literal["organizer", "required", "optional", "informed"], _IN_ANY_CASE] | None = None
    rsvp: Annotated[Literal["needs_action", "accepted", "declined", "tentative"], _IN_ANY_CASE] | None = None
    attended: Flag | None = None


def _plain_id(value: object) -> object:
    return {"id": value} if isinstance(value, str) else value


Participants = Annotated[
    list[Annotated[Participant, BeforeValidator(_plain_id, json_schema_input_type=Reference | Participant)]],
    Field(max_length=MOST_PEOPLE),
]
