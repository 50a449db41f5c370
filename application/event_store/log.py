"""One organisation's log inside a transaction: take it, read streams from it, append to it, keep answers.

Statements gather in the transaction, so taking and reading cost one round trip together, appending and
committing another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from application.event_store.keyring import KEYS_BY_ID, RING, NewKey
from application.event_store.mapper import Event, State, advance, decode
from application.postgres.arrays import array
from application.postgres.transaction import Asked, Transaction
from domain.api_key.api_key import ApiKey

_OPEN = "select last_position, last_recorded_at from open_log(%s)"
_LOAD = """
select e.originator_id, e.originator_version, e.topic, e.state, e.position
  from unnest(%s::uuid[], %s::bigint[]) as wanted(originator_id, known_version)
  join events e on e.organization_id = %s
               and e.originator_id = wanted.originator_id
               and e.originator_version > wanted.known_version
 order by e.position
"""
_APPEND = """
select append_events(%s, %s, %s::uuid[], %s::bigint[], %s::text[], %s::bytea[], %s::jsonb[])
"""
_COMMAND_AT = "select metadata ->> 'command_id' from events where organization_id = %s and position = %s"
_ANSWERS = """
select i.user_id, i.key, i.fingerprint, i.status, i.headers, i.body
  from unnest(%s::text[], %s::text[]) as asked(user_id, key)
  join idempotency i on i.organization_id = %s and i.user_id = asked.user_id and i.key = asked.key
 where i.kept_at >= now() - interval '24 hours'
"""
_KEEP = """
select keep_answers(%s, %s::text[], %s::text[], %s::bytea[], %s::smallint[], %s::jsonb[], %s::bytea[])
"""
_KEYS_OF = """
select subject, key_id, wrapped_key, closed_at is not null
  from data_keys
 where organization_id = %s and subject = any(%s::uuid[])
"""
_KEEP_DATA_KEYS = "select keep_data_keys(%s, %s, %s::uuid[], %s::uuid[], %s::bytea[])"
_CLOSE_DATA_KEY = "select close_data_key(%s, %s, %s, %s, %s::bytea)"
_DESTROY_DATA_KEY = "select destroy_data_key(%s, %s, %s)"
_KEEP_API_KEY = "select keep_api_key(%s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact on its way into the log, and `state`, the bytes it will be stored as."""

    key: UUID
    version: int
    event: Event
    metadata: Mapping[str, str]
    state: bytes


@dataclass(frozen=True, slots=True)
class Head:
    position: int
    recorded_at: datetime | None


class Log:
    """An organisation's log, for the length of one transaction."""

    def __init__(self, transaction: Transaction, organization_id: str) -> None:
        self._transaction = transaction
        self._organization_id = organization_id

    async def take(self) -> Asked:
        """Lock the log until commit. Read its head with `head_of` once the answer is needed."""
        return await self._transaction.execute(_OPEN, (self._organization_id,))

    async def load(self, known: Mapping[UUID, State | None]) -> Asked:
        """Ask for the facts that came after the states known; fold them in with `folded`."""
        versions = [0 if state is None else state.version for state in known.values()]
        return await self._transaction.execute(
            _LOAD, (array("uuid", known), array("bigint", versions), self._organization_id)
        )

    async def command_at(self, position: int) -> str | None:
        """The id of the command whose fact stands at `position`."""
        cursor = await self._transaction.execute(_COMMAND_AT, (self._organization_id, position))
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def answers(self, asked: Iterable[tuple[str, str]]) -> Asked:
        """Ask for the answers kept for these (user, key) pairs."""
        users, keys = zip(*asked, strict=True)
        parameters = (array("text", users), array("text", keys), self._organization_id)
        return await self._transaction.execute(_ANSWERS, parameters)

    async def append(self, entries: Sequence[Entry], recorded_at: datetime) -> None:
        await self._transaction.execute(
            _APPEND,
            (
                self._organization_id,
                recorded_at,
                array("uuid", (entry.key for entry in entries)),
                array("bigint", (entry.version for entry in entries)),
                array("text", (entry.event.name for entry in entries)),
                array("bytea", (entry.state for entry in entries)),
                array("jsonb", (entry.metadata for entry in entries)),
            ),
        )

    async def keep(self, answers: Sequence[tuple[str, str, bytes, int, Mapping[str, str], bytes]]) -> None:
        """Keep (user, key, fingerprint, status, headers, body) for retries."""
        columns = map(array, ("text", "text", "bytea", "smallint", "jsonb", "bytea"), zip(*answers, strict=True))
        await self._transaction.execute(_KEEP, (self._organization_id, *columns))

    async def keys_of(self, subjects: Iterable[UUID]) -> Asked:
        """Ask for the keys of these people: subject, key_id, wrapped_key, and whether it is closed."""
        return await self._transaction.execute(_KEYS_OF, (self._organization_id, array("uuid", subjects)))

    async def keep_data_keys(self, keys: Sequence[NewKey]) -> None:
        """Keep new keys, in the transaction of the facts they seal."""
        columns = (
            array("uuid", (UUID(new.key.id) for new in keys)),
            array("uuid", (new.subject for new in keys)),
            array("bytea", (new.wrapped for new in keys)),
        )
        await self._transaction.execute(_KEEP_DATA_KEYS, (self._organization_id, RING.fingerprint, *columns))

    async def close_data_key(self, subject: UUID, erasure_id: str, named: str | None) -> None:
        """From this transaction on nothing is sealed for the person. By what they are `named` is kept, sealed."""
        sealed = None if named is None else RING.sealed_name(self._organization_id, erasure_id, named)
        parameters = (self._organization_id, uuid4(), subject, erasure_id, sealed)
        await self._transaction.execute(_CLOSE_DATA_KEY, parameters)

    async def destroy_data_key(self, erasure_id: str, *, forget: bool) -> None:
        """Destroy the key that an erasure closed, and forget whose it was, if asked."""
        await self._transaction.execute(_DESTROY_DATA_KEY, (self._organization_id, erasure_id, forget))

    async def learn(self, states: Iterable[bytes]) -> None:
        """Teach the ring the keys these stored facts are sealed with."""
        if unknown := RING.unknown(states):
            cursor = await self._transaction.execute(KEYS_BY_ID, (self._organization_id, unknown))
            RING.learned(await cursor.fetchall())

    async def keep_api_key(self, key: ApiKey) -> None:
        """Let the door know of a key, or of its end, as of this transaction."""
        made = (key.id, key.name, list(key.scopes), key.secret_hmac, key.created_by, key.created_at)
        await self._transaction.execute(_KEEP_API_KEY, (self._organization_id, *made, key.revoked_at))


async def head_of(taken: Asked) -> Head:
    row = await taken.fetchone()
    assert row is not None  # the function returns one row always
    return Head(*row)


async def folded(log: Log, known: Mapping[UUID, State | None], loaded: Asked) -> dict[UUID, State | None]:
    """The states known, brought up to date."""
    states = dict(known)
    rows = await loaded.fetchall()
    await log.learn(row[3] for row in rows)
    for key, version, topic, state, position in rows:
        states[key] = advance(states[key], decode(topic, state, (key, version)), position)
    return states
