"""Query parameters that say when: an instant, a version of one activity, or a position in the organisation's log."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import WithJsonSchema as SchemaIs

from application.history.moments import Moment, Position, Version, When
from domain.refusals import Invalid
from domain.values import Instant

_instant: TypeAdapter[datetime] = TypeAdapter(Instant)
_POSITION = re.compile(r"position:([0-9]{1,17})")
_VERSION = re.compile(r"[0-9]{1,17}")

_AN_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_A_POSITION: dict[str, Any] = {"type": "string", "pattern": f"^{_POSITION.pattern}$"}
_A_VERSION: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 10**17 - 1}

_Short = Field(max_length=64)
InstantText = Annotated[str, _Short, SchemaIs(_AN_INSTANT)]
LogMoment = Annotated[str, _Short, SchemaIs({"anyOf": [_AN_INSTANT, _A_POSITION]})]
ActivityMoment = Annotated[str, _Short, SchemaIs({"anyOf": [_AN_INSTANT, _A_POSITION, _A_VERSION]})]


class TimeParameters(BaseModel):
    """For lists: a version is of one activity, so it is no moment of theirs."""

    model_config = ConfigDict(extra="forbid")

    as_of: LogMoment | None = None
    known_at: LogMoment | None = None
    happened_at: InstantText | None = None

    def when(self) -> When | None:
        """None: now, and that is what most ask for. Raises Invalid."""
        if self.as_of is None and self.known_at is None and self.happened_at is None:
            return None
        return When(self._known(), instant_of("happened_at", self.happened_at))

    def _known(self) -> Moment | None:
        if None not in (self.as_of, self.known_at) and self.as_of != self.known_at:
            raise Invalid("known_at", "as_of and known_at are the same parameter: give one of them")
        name, said = ("as_of", self.as_of) if self.as_of is not None else ("known_at", self.known_at)
        return self._moment(name, said)

    def _moment(self, name: str, said: str | None) -> Moment | None:
        return log_moment_of(name, said)


class ActivityTimeParameters(TimeParameters):
    as_of: ActivityMoment | None = None
    known_at: ActivityMoment | None = None

    def _moment(self, name: str, said: str | None) -> Moment | None:
        return activity_moment_of(name, said)


def activity_moment_of(name: str, said: str | None) -> Moment | None:
    """An instant, a position, or a version as a whole number. Raises Invalid."""
    if said is not None and _VERSION.fullmatch(said):
        return Version(int(said))
    return _moment(name, said, "an instant such as 2025-12-20T14:00:00Z, a version, or position:N")


def log_moment_of(name: str, said: str | None) -> datetime | Position | None:
    """An instant or a position of the organisation's log. Raises Invalid."""
    return _moment(name, said, "an instant such as 2025-12-20T14:00:00Z, or position:N; versions are of one activity")


def instant_of(name: str, said: str | None) -> datetime | None:
    """An instant. Raises Invalid."""
    if said is None:
        return None
    try:
        return _instant.validate_python(said.replace(" ", "+"))
    except ValidationError:
        raise Invalid(name, "must be an instant such as 2025-12-20T14:00:00Z") from None


def _moment(name: str, said: str | None, must_be: str) -> datetime | Position | None:
    if said is None:
        return None
    if found := _POSITION.fullmatch(said):
        return Position(int(found[1]))
    try:
        return instant_of(name, said)
    except Invalid:
        raise Invalid(name, f"must be {must_be}") from None
