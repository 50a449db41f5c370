"""Commands on directory records: create, update, and put (upsert by the caller's own id)."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field, SerializeAsAny

from application.command import Command, Context, Decision
from application.event_store.mapper import State, record_key
from application.streams import Streams
from application.ulids import new_ulid
from domain.personal_data import PERSONS
from domain.record.decisions import create_record as create
from domain.record.decisions import put_record as put
from domain.record.decisions import update_record as update
from domain.record.drafts import RecordDraft
from domain.vocabulary import RecordKind


class RecordCommand(Command):
    kind: RecordKind
    draft: SerializeAsAny[RecordDraft]
    record_id: str = Field(default_factory=new_ulid)

    def subject(self) -> UUID:
        return record_key(self.kind, self.record_id)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {self.subject()}

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {self.subject()} if self.kind in PERSONS else set()


class CreateRecord(RecordCommand):
    pass


class UpdateRecord(RecordCommand):
    pass


class PutRecord(RecordCommand):
    pass


def create_record(command: CreateRecord, streams: Streams, context: Context) -> Decision:
    facts = create(command.draft, id=command.record_id, kind=command.kind, now=context.now)
    return Decision(command.subject(), [(command.subject(), facts)], {"made": True})


def update_record(command: UpdateRecord, streams: Streams, context: Context) -> Decision:
    record = streams.record(command.kind, command.record_id)
    facts = update(record, command.draft, kind=command.kind, now=context.now)
    return Decision(command.subject(), [(command.subject(), facts)])


def put_record(command: PutRecord, streams: Streams, context: Context) -> Decision:
    record = streams.record(command.kind, command.record_id)
    facts = put(record, command.draft, id=command.record_id, kind=command.kind, now=context.now)
    return Decision(command.subject(), [(command.subject(), facts)], {"made": record is None})
