"""Commands on API keys: create and revoke."""

from collections.abc import Mapping
from uuid import UUID

from application.command import Command, Context, Decision
from application.event_store.mapper import State, api_key_key
from application.refusals import KeyUsedOtherwise
from application.streams import Streams
from domain.api_key.decisions import create_api_key as create
from domain.api_key.decisions import revoke_api_key as revoke
from domain.api_key.drafts import NewApiKey


class ApiKeyCommand(Command):
    key_id: str

    def subject(self) -> UUID:
        return api_key_key(self.key_id)

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        return {self.subject()}


class CreateApiKey(ApiKeyCommand):
    new: NewApiKey
    secret_hmac: str


class RevokeApiKey(ApiKeyCommand):
    pass


def create_api_key(command: CreateApiKey, streams: Streams, context: Context) -> Decision:
    """A key that is there already was made by this very request before, else by another with its retry key."""
    if (made := streams.api_key_at(command.subject())) is not None:
        if made.secret_hmac != command.secret_hmac:
            raise KeyUsedOtherwise
        return Decision(command.subject(), details={"repeated": True})
    facts = create(
        command.new,
        id=command.key_id,
        secret_hmac=command.secret_hmac,
        created_by=command.actor.user_id,
        now=context.now,
    )
    return Decision(command.subject(), [(command.subject(), facts)])


def revoke_api_key(command: RevokeApiKey, streams: Streams, context: Context) -> Decision:
    facts = revoke(streams.api_key_at(command.subject()), now=context.now)
    return Decision(command.subject(), [(command.subject(), facts)])


def is_key_id(key_id: str) -> bool:
    """Ids of keys are ULIDs, in either case."""
    try:
        api_key_key(key_id)
    except ValueError:
        return False
    return True
