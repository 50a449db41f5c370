"""One batch of orders of one organisation, decided in order and recorded in one transaction.

The log is locked before anything is read: what a decision sees is what it is recorded upon, positions are known
while deciding, and no other process can come between.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from application.command import Answer, Context, Order, Policy
from application.deciding import Deciding, Kept, Outcome
from application.event_store.keyring import RING
from application.event_store.log import Head, Log, folded, head_of
from application.event_store.mapper import ERASURES, State
from application.postgres.transaction import Asked, Transaction
from application.postgres.wire import Wire
from application.sealer import KeysInUse, Sealer
from application.streams import StateCache
from domain.api_key.api_key import ApiKey
from domain.api_key.events import ApiKeyFact


@dataclass(slots=True)
class Attempt:
    """What was sent to be committed, so that after a lost acknowledgement it can be told whether it was."""

    first_position: int
    command_id: str
    outcomes: list[Outcome]


class _Opened(NamedTuple):
    """What the log said once it was locked."""

    head: Head
    states: dict[UUID, State | None]
    kept: dict[tuple[str, str], Kept]


class Batch:
    """Serve it, and serve it again where nothing is known of the first time."""

    def __init__(
        self,
        organization_id: str,
        orders: Sequence[Order],
        policy: Policy,
        cache: StateCache,
        clock: Callable[[], datetime],
        in_use: KeysInUse,
    ) -> None:
        self.organization_id = organization_id
        self.orders = orders
        self.policy = policy
        self.cache = cache
        self.clock = clock
        self.in_use = in_use
        self.attempt: Attempt | None = None

    async def serve(self, wire: Wire) -> list[Outcome]:
        """An answer or a refusal for each order, in order. Raises psycopg errors; then nothing is known."""
        async with Transaction(wire) as transaction:
            log = Log(transaction, self.organization_id)
            sealer = Sealer(self.organization_id, self.in_use)
            opened = await self._open(log, sealer)
            if self.attempt is not None and await self._was_committed(log, self.attempt):
                return self.attempt.outcomes
            decided = await self._decided(log, opened, sealer)
            if decided.entries:
                await self._record(log, decided, sealer)
            if decided.new_answers:  # answers to commands that changed nothing, too: later they might
                await log.keep([one.stored() for one in decided.new_answers])
        if decided.entries:
            sealer.committed()
        self.cache.keep(self.organization_id, decided.states)
        return list(decided.outcomes)

    async def _decided(self, log: Log, opened: _Opened, sealer: Sealer) -> Deciding:
        """Where keys have to be looked up first, all is decided again."""
        context = self._context(opened.head)
        while True:
            deciding = Deciding(
                self.organization_id, opened.head.position, dict(opened.states), dict(opened.kept), context, sealer
            )
            deciding.decide(self.orders)
            if not sealer.missing:
                return deciding
            people, sealer.missing = sealer.missing, set()
            sealer.found(people, await (await log.keys_of(people)).fetchall())

    def _context(self, head: Head) -> Context:
        """Time never runs backwards in a log, whatever the clocks of two machines say."""
        now = self.clock()
        if head.recorded_at is not None:
            now = max(now, head.recorded_at)
        return Context(now=now, policy=self.policy)

    async def _open(self, log: Log, sealer: Sealer) -> _Opened:
        """Lock the log, and read what the orders need of it."""
        known = self._known({})
        taken = await log.take()
        loaded = await log.load(known)
        people, keys = await self._asked_keys(log, sealer, known)
        answers = await self._asked_answers(log)
        head = await head_of(taken)
        states = await folded(log, known, loaded)
        if keys is not None:
            sealer.found(people, await keys.fetchall())
        self._forget_what_was_erased(known, states)
        while missing := {key: state for key, state in self._known(states).items() if key not in states}:
            loaded = await log.load(missing)
            people, keys = await self._asked_keys(log, sealer, states | missing)
            states |= await folded(log, missing, loaded)
            if keys is not None:
                sealer.found(people, await keys.fetchall())
        return _Opened(head, states, {} if answers is None else _kept(await answers.fetchall()))

    def _known(self, states: dict[UUID, State | None]) -> dict[UUID, State | None]:
        """The streams needed, with what the cache knows of them; twice over, as one stream names others."""
        wanted: set[UUID] = {ERASURES}
        for order in self.orders:
            wanted |= order.command.keys(states)
        known = self.cache.known(self.organization_id, wanted - states.keys())
        more: set[UUID] = set()
        for order in self.orders:
            more |= order.command.keys(known | states)
        return known | self.cache.known(self.organization_id, more - known.keys() - states.keys())

    async def _asked_keys(
        self, log: Log, sealer: Sealer, states: Mapping[UUID, State | None]
    ) -> tuple[list[UUID], Asked | None]:
        """Whose keys have to be looked up, and the question for them."""
        people = sealer.unknown([order.command for order in self.orders], states)
        return people, await log.keys_of(people) if people else None

    async def _asked_answers(self, log: Log) -> Asked | None:
        commands = [order.command for order in self.orders]
        asked = [(c.actor.user_id, c.retry_key.key) for c in commands if c.retry_key is not None]
        return await log.answers(asked) if asked else None

    def _forget_what_was_erased(self, known: Mapping[UUID, State | None], states: Mapping[UUID, State | None]) -> None:
        """Somebody's data were erased since this worker last looked: what it remembers may be of that person."""
        erasures = states[ERASURES]
        if self.in_use.at(self.organization_id, erasures.version if erasures is not None else 0):
            self.cache.forget_organization(self.organization_id)
            RING.forget(self.organization_id)

    async def _was_committed(self, log: Log, attempt: Attempt) -> bool:
        return await log.command_at(attempt.first_position) == attempt.command_id

    async def _record(self, log: Log, decided: Deciding, sealer: Sealer) -> None:
        if made := sealer.used():
            await log.keep_data_keys(made)
        for change in decided.key_changes:
            if change.subject is None:
                await log.destroy_data_key(change.erasure_id, forget=change.forget)
            else:
                await log.close_data_key(change.subject, change.erasure_id, change.named)
        first = decided.entries[0]
        self.attempt = Attempt(decided.last + 1, first.metadata["command_id"], list(decided.outcomes))
        await log.append(decided.entries, decided.context.now)
        await _keep_api_keys(log, decided)


async def _keep_api_keys(log: Log, decided: Deciding) -> None:
    """What the door looks at is written with the facts: a new key works at once, a revoked one stops."""
    for key in {entry.key for entry in decided.entries if isinstance(entry.event, ApiKeyFact)}:
        if isinstance(made := decided.states[key], ApiKey):
            await log.keep_api_key(made)


def _kept(rows: Sequence[tuple[str, str, bytes, int, dict[str, str], bytes]]) -> dict[tuple[str, str], Kept]:
    """The answers given before, by user and key."""
    return {
        (user, key): Kept(fingerprint, Answer(status, body, headers, replayed=True))
        for user, key, fingerprint, status, headers, body in rows
    }
