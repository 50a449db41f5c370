"""Query parameters of the audit feed, each named in its error."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from domain.refusals import Invalid


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 18):
        raise ValueError("must be a whole number")
    return value


LogPosition = Annotated[int, Field(ge=0, le=10**17 - 1), BeforeValidator(_whole)]
"""A place in an organisation's log; 0 is before everything."""


_position: TypeAdapter[int] = TypeAdapter(LogPosition)


def position_of(name: str, said: str | None) -> int | None:
    """A position said in a header. Raises Invalid naming it."""
    try:
        return None if said is None else _position.validate_python(said)
    except ValidationError:
        raise Invalid(name, "must be the position a stream was read up to") from None


class FeedParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: LogPosition | None = None
    cursor: LogPosition | None = None
    limit: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_whole)] = 100

    def position(self) -> int:
        """After which entry to go on."""
        if self.after is not None and self.cursor is not None:
            raise Invalid("cursor", "after and cursor exclude each other")
        return self.after or self.cursor or 0
