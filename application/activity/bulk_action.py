"""One action on many activities: decided in order as one batch, each with a result of its own.

Best effort unless atomic; a dry run decides and records nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ConfigDict

from application.activity.commands import ActivityCommand
from application.command import Command, Context, Decision, Handler
from application.event_store.mapper import Event, State, advance
from application.event_store.persons import person_of
from application.streams import Streams
from domain.activity.activity import Activity
from domain.activity.events import Fact
from domain.personal_data import personal_texts
from domain.refusals import OfAnErasedPerson, Refusal, Unknown

Facts = list[tuple[UUID, Sequence[Event]]]


@dataclass(frozen=True, slots=True)
class Item:
    """One activity of a bulk action; no command where the id cannot be an activity's."""

    id: str
    command: ActivityCommand | None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one activity: refused, or not."""

    id: str
    refusal: Refusal | None = None


class BulkAction(Command):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: Sequence[Item]
    handler: Handler
    atomic: bool = False
    dry_run: bool = False

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {key for item in self.items if item.command for key in item.command.keys(known)}

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {person for item in self.items if item.command for person in item.command.people(known)}


class RefusedTogether(Refusal):
    """Atomic, and at least one was refused: nothing was done."""

    code = "bulk_refused"

    def __init__(self, results: Sequence[Result]) -> None:
        refused = sum(result.refusal is not None for result in results)
        super().__init__(f"{refused} of {len(results)} were refused, so nothing was done")
        self.results = results


def bulk_action(command: BulkAction, streams: Streams, context: Context) -> Decision:
    ahead = streams.ahead()
    facts: Facts = []
    results = [_decide(item, command.handler, ahead, context, facts) for item in command.items]
    if command.atomic and any(result.refusal for result in results):
        raise RefusedTogether(results)
    return Decision(None, [] if command.dry_run else facts, {"results": results})


def _decide(item: Item, handler: Handler, ahead: Streams, context: Context, facts: Facts) -> Result:
    if item.command is None:
        return Result(item.id, Unknown("Activity"))
    try:
        decision = handler(item.command, ahead, context)
    except Refusal as refusal:
        return Result(item.id, refusal)
    evolved: dict[UUID, State | None] = {}
    for key, decided in decision.facts:
        for fact in decided:
            evolved[key] = state = advance(evolved.get(key) or ahead.states.get(key), fact, 0)
            if (field := said_of_an_erased_person(fact, state, ahead)) is not None:
                return Result(item.id, OfAnErasedPerson(field))
    ahead.states.update(evolved)
    facts += decision.facts
    return Result(item.id)


def said_of_an_erased_person(fact: Event, after: State, streams: Streams) -> str | None:
    """A field that says something personal of a person whose record is closed; None where there is none."""
    if not isinstance(fact, Fact) or not isinstance(after, Activity) or not (said := personal_texts(fact)):
        return None
    person = streams.record_at(person_of(after))
    return said[0] if person is not None and person.erased_at is not None else None
