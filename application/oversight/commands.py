"""Commands that put work on record: it begins, it ends."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import SerializeAsAny

from application.command import Command, Context, Decision
from application.event_store.mapper import State, undertaking_key
from application.streams import Streams
from domain.oversight.events import Beginning, Ending


class PutOnRecord(Command):
    """`fact` says what begins or how it ended; when is settled by the desk."""

    work_id: str
    fact: SerializeAsAny[Beginning | Ending]

    def subject(self) -> UUID:
        return undertaking_key(self.work_id)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {self.subject()}


def put_on_record(command: PutOnRecord, streams: Streams, context: Context) -> Decision:
    fact = command.fact.model_copy(update={"at": context.now})
    return Decision(command.subject(), [(command.subject(), [fact])])
