"""Commands of an erasure: it closes the person, blanks the activities stretch by stretch, then destroys the key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ConfigDict

from application.command import Command, Context, Decision, KeyChange
from application.event_store.mapper import ERASURES, Event, State
from application.streams import Streams
from domain.activity.activity import Activity
from domain.activity.events import PersonalDataErased
from domain.erasure.erasures import Erasures
from domain.erasure.events import ErasureBegun, ErasureCompleted
from domain.record.decisions import erase_record
from domain.refusals import Unknown
from domain.vocabulary import RecordKind


class ErasureCommand(Command):
    erasure_id: str

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {ERASURES}


class BeginErasure(ErasureCommand):
    """`person` is whose key it is: the stream of the record, where it is one's."""

    person: UUID
    kind: RecordKind | None = None
    record_id: str | None = None
    email: str | None = None
    """An outsider's address, by which the erasure can be taken up again."""
    mentioned: bool = False
    """Whether the log speaks of the person: one who has no record may be spoken of all the same."""
    basis: str
    reference: str | None = None

    def subject(self) -> UUID | None:
        return None if self.kind is None else self.person

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {ERASURES} if self.kind is None else {ERASURES, self.person}


def begin_erasure(command: BeginErasure, streams: Streams, context: Context) -> Decision:
    """From here on nothing personal is recorded of the person. A record that is closed already is no news."""
    facts: list[tuple[UUID, Sequence[Event]]] = []
    if command.kind is not None and command.record_id is not None:
        record = streams.record_at(command.person)
        if record is None and not command.mentioned:
            raise Unknown(command.kind.value.capitalize())
        closing = erase_record(record, id=command.record_id, kind=command.kind, now=context.now)
        if not closing:
            return Decision(command.person)
        facts.append((command.person, closing))
    begun = ErasureBegun(
        at=context.now,
        id=command.erasure_id,
        kind="external" if command.kind is None else command.kind.value,
        record_id=command.record_id,
        basis=command.basis,
        reference=command.reference,
    )
    change = KeyChange(command.erasure_id, subject=command.person, named=command.email)
    return Decision(command.person, [(ERASURES, [begun]), *facts], key_changes=[change])


@dataclass(frozen=True, slots=True)
class Said:
    """What an activity says of the person, as of a version of it.

    `in_plain` of its facts were never sealed: no key can take back what they say.
    """

    activity: UUID
    version: int
    fields: tuple[str, ...]
    people: tuple[int, ...]
    in_plain: int = 0


class EraseActivities(ErasureCommand):
    """Blank what a stretch of activities says. One that has changed since it was looked at is left for another look."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    stretch: Sequence[Said]

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {ERASURES} | {said.activity for said in self.stretch}


def erase_activities(command: EraseActivities, streams: Streams, context: Context) -> Decision:
    facts: list[tuple[UUID, Sequence[Event]]] = []
    for said in command.stretch:
        activity = streams.activity_at(said.activity)
        if isinstance(activity, Activity) and activity.version == said.version:
            erased = PersonalDataErased(
                at=context.now,
                erasure_id=command.erasure_id,
                fields=said.fields,
                people=said.people,
            )
            facts.append((said.activity, [erased]))
    return Decision(None, facts, {"erased": len(facts)})


class CompleteErasure(ErasureCommand):
    """`forget` whose key it was, where that is an outsider: nothing is kept to know them by."""

    activities: int
    forget: bool


def complete_erasure(command: CompleteErasure, streams: Streams, context: Context) -> Decision:
    erasures = streams.states.get(ERASURES)
    if not isinstance(erasures, Erasures) or command.erasure_id not in erasures.under_way:
        return Decision(None)
    completed = ErasureCompleted(at=context.now, id=command.erasure_id, activities=command.activities)
    change = KeyChange(command.erasure_id, forget=command.forget)
    return Decision(None, [(ERASURES, [completed])], key_changes=[change])
