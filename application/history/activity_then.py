"""One activity as it was: by what was known at a moment, and of that by what had happened by an instant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.event_store.mapper import State, advance, decode
from application.history.moments import Moment, Position, Version, happened_at, happened_by
from domain.activity.events import Deleted, Restored

_BOUND = {Version: "originator_version <= %(bound)s", Position: "position <= %(bound)s"}
_THEN = """
select topic, state, originator_version, position, recorded_at,
       (select topic = '{deleted}' from events
         where organization_id = %(organization_id)s and originator_id = %(key)s
           and topic in ('{deleted}', '{restored}') order by originator_version desc limit 1)
  from events
 where organization_id = %(organization_id)s and originator_id = %(key)s and {bound}
 order by originator_version
"""


@dataclass(frozen=True, slots=True)
class Then:
    """The activity at the last of the facts that count, None where there was none; whether it is deleted by now."""

    state: State | None
    version: int
    position: int
    recorded_at: datetime | None
    deleted_now: bool


def question_of(organization_id: str, key: UUID, known: Moment | None) -> tuple[str, dict[str, Any]]:
    """SQL of the facts of a stream that were known at a moment, and its parameters."""
    parameters: dict[str, Any] = {"organization_id": organization_id, "key": key}
    bound = "true"
    if known is not None:
        bound = _BOUND.get(type(known), "recorded_at <= %(bound)s")
        parameters["bound"] = known if isinstance(known, datetime) else known.number
    return _THEN.format(bound=bound, deleted=Deleted.name, restored=Restored.name), parameters


def then(rows: Iterable[tuple[Any, ...]], happened: datetime | None) -> Then:
    """What the rows of the question lead to; of these the facts that had happened by an instant, where one is given."""
    facts = [(decode(topic, stored), *rest) for topic, stored, *rest in rows]
    if happened is not None:
        times = [happened_at(event, recorded_at) for event, _, _, recorded_at, _ in facts]
        facts = [fact for fact, counts in zip(facts, happened_by(times, happened), strict=True) if counts]
    state: State | None = None
    for event, _, position, _, _ in facts:
        state = advance(state, event, position)
    if not facts:
        return Then(None, 0, 0, None, deleted_now=False)
    _, version, position, recorded_at, deleted = facts[-1]
    return Then(state, version, position, recorded_at, deleted_now=bool(deleted))
