"""How an activity differs between two moments, told field by field with the facts that caused each change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from api.http.chapters import circumstances_told
from api.http.time_parameters import ActivityMoment, activity_moment_of
from application.history.chronicle import Chapter
from application.history.difference import Between, happened_between, known_between
from application.history.moments import Moment, Version
from domain.refusals import Invalid
from projections.differences import differences

_CREATION, _NOW = Version(1), Version(2**63 - 1)


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class DiffParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: ActivityMoment | None = Field(None, alias="from")
    end: ActivityMoment | None = Field(None, alias="to")
    by: Annotated[Literal["known_at", "happened_at"], BeforeValidator(_lower)] = "known_at"

    def between(self, chapters: Sequence[Chapter]) -> Between:
        """From creation to now unless said otherwise. Raises Invalid."""
        start = activity_moment_of("from", self.start)
        end = activity_moment_of("to", self.end)
        for name, moment in (("from", start), ("to", end)):
            if isinstance(moment, Version) and moment.number > len(chapters):
                raise Invalid(name, f"there is no such version yet: the latest is {len(chapters)}")
        if self.by == "known_at":
            return known_between(chapters, start or _CREATION, end or _NOW)
        times = [chapter.happened_at for chapter in chapters]
        return happened_between(chapters, _instant("from", start, min(times)), _instant("to", end, max(times)))


def _instant(name: str, moment: Moment | None, default: datetime) -> datetime:
    if moment is None:
        return default
    if not isinstance(moment, datetime):
        raise Invalid(name, "must be an instant where by is happened_at: versions and positions are of the record")
    return moment


def diff_told(chapters: Sequence[Chapter], wanted: DiffParameters, named: Mapping[UUID, str]) -> dict[str, Any]:
    """Raises Invalid where the first moment is not before the second."""
    between = wanted.between(chapters)
    start, end = between.start, between.end
    if start is not None and (end is None or start.version > end.version):
        raise Invalid("from", "must not be later than to")
    changes = differences(None if start is None else start.after, None if end is None else end.after)
    causes = [(circumstances_told(one, named), differences(one.before, one.after)) for one in between.causes]
    return {
        "by": wanted.by,
        "from": _place(start),
        "to": _place(end),
        "changes": {name: change | {"events": _caused(name, causes)} for name, change in changes.items()},
    }


def _place(chapter: Chapter | None) -> dict[str, Any] | None:
    if chapter is None:
        return None
    return {"version": chapter.version, "position": chapter.position, "recorded_at": chapter.recorded_at}


def _caused(name: str, causes: Sequence[tuple[dict[str, Any], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """The facts that changed a field, each with what it changed it from and to."""
    return [circumstances | changes[name] for circumstances, changes in causes if name in changes]
