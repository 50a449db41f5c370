"""What one activity says of a person, found out from its history alone.

The history is folded twice: as it is, and with everything the person's key seals replaced by something else. Where
the two states differ, the person's data determine the state. So it does not matter how it was stored, or since when.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.erasure.commands import Said
from application.event_store.keyring import SEALED
from application.event_store.mapper import State, advance, decode
from application.event_store.persons import whose
from application.event_store.reading import Row
from domain.activity.activity import Activity
from domain.activity.blanks import BLANKS
from domain.activity.events import PersonalDataErased

_ELSE: dict[str, Any] = {
    name: {"\0": 0} if blank == {} else ("\0",) if blank == () else "\0" for name, blank in BLANKS.items()
}
_OF_STATE = tuple(name for name in BLANKS if name in Activity._fields)


@dataclass(slots=True)
class _Telling:
    """Both folds so far."""

    state: State | None = None
    otherwise: State | None = None
    told: bool = False
    in_plain: int = 0
    done: bool = False


def said_of(organization_id: str, person: UUID, erasure_id: str, rows: Iterable[Row]) -> Said | None:
    """What the activity of these rows says of the person; None where nothing, or where this erasure was here before."""
    telling = _Telling()
    key, version = UUID(int=0), 0
    for row in rows:
        key, version = row.key, row.version
        fact = decode(row.topic, row.state, (row.key, row.version))
        telling.done |= isinstance(fact, PersonalDataErased) and fact.erasure_id == erasure_id
        tells = _tell(telling, fact, organization_id, person, row.position)
        telling.told |= tells
        telling.in_plain += tells and not row.state.startswith(SEALED)
    state, otherwise = telling.state, telling.otherwise
    if not telling.told or telling.done or not isinstance(state, Activity) or not isinstance(otherwise, Activity):
        return None
    people = zip(state.participants, otherwise.participants, strict=True)
    return Said(
        key,
        version,
        tuple(name for name in _OF_STATE if getattr(state, name) != getattr(otherwise, name)),
        tuple(place for place, (one, other) in enumerate(people) if one != other),
        telling.in_plain,
    )


def _tell(telling: _Telling, fact: Any, organization_id: str, person: UUID, position: int) -> bool:
    """Take a fact into both folds; whether it says something of the person."""
    telling.state = advance(telling.state, fact, position)
    fields, with_whom, people = whose(organization_id, fact, telling.state)
    changes: dict[str, Any] = {}
    if with_whom == person:
        changes = {name: _ELSE[name] for name in fields}
    if places := {place for place, who in people if who == person}:
        changes["participants"] = tuple(
            one.model_copy(update={"name": "\0", "email": "\0"}) if place in places else one
            for place, one in enumerate(fact.participants)
        )
    other = fact.model_copy(update=changes) if changes else fact
    telling.otherwise = advance(telling.otherwise, other, position)
    return bool(changes)


def records_in_plain(organization_id: str, rows: Iterable[Row]) -> int:
    """How many facts of a record say something personal in plain: see Outcome."""
    state: State | None = None
    count = 0
    for row in rows:
        fact = decode(row.topic, row.state, (row.key, row.version))
        state = advance(state, fact, row.position)
        count += bool(whose(organization_id, fact, state)[0]) and not row.state.startswith(SEALED)
    return count
