"""One batch of orders of one organisation, decided in order and recorded in one transaction.

The log is locked before anything is read: what a decision sees is what it is recorded upon, positions are known
while deciding, and no other process can come between. A refusal touches its own order only.
"""

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from application.command import AUDIT_RECEIPT, Answer, Command, Context, Decision, KeyChange, Order, Policy, Receipt
from application.event_store.keyring import RING
from application.event_store.log import Entry, Head, Log, folded, head_of
from application.event_store.mapper import ERASURES, State, advance
from application.postgres.transaction import Transaction
from application.postgres.wire import Wire
from application.proof.leaf import Leaves, instant
from application.proof.receipts import receipt_of
from application.refusals import KeyUsedOtherwise, StaleVersion
from application.sealer import KeysInUse, Sealer
from application.streams import StateCache, Streams
from domain.api_key.api_key import ApiKey
from domain.api_key.events import ApiKeyFact
from domain.refusals import Refusal


@dataclass(slots=True)
class Attempt:
    """What was sent to be committed, so that after a lost acknowledgement it can be told whether it was."""

    first_position: int
    command_id: str
    outcomes: list[Answer | Exception]


@dataclass(slots=True)
class Batch:
    organization_id: str
    orders: Sequence[Order]
    policy: Policy
    cache: StateCache
    clock: Callable[[], datetime]
    in_use: KeysInUse = field(default_factory=KeysInUse)
    attempt: Attempt | None = None
    _entries: list[Entry] = field(default_factory=list)
    _kept: dict[tuple[str, str], tuple[bytes, Answer]] = field(default_factory=dict)
    _new: list[tuple[str, str, bytes, Answer]] = field(default_factory=list)
    _key_changes: list[KeyChange] = field(default_factory=list)
    _leaves: Leaves = field(init=False)
    _recorded_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._leaves = Leaves(self.organization_id)

    async def serve(self, wire: Wire) -> list[Answer | Exception]:
        """An answer or a refusal for each order, in order. Raises psycopg errors; then nothing is known."""
        self._kept = {}
        async with Transaction(wire) as transaction:
            log = Log(transaction, self.organization_id)
            sealer = Sealer(self.organization_id, self.in_use)
            head, states = await self._open(log, sealer)
            if self.attempt is not None and await self._was_committed(log, self.attempt):
                return self.attempt.outcomes
            outcomes, states = await self._decided(log, head, states, sealer)
            if self._entries:
                await self._change_keys(log, sealer)
                await self._append(log, head, outcomes)
                await self._keep_api_keys(log, states)
            if self._new:  # answers to commands that changed nothing, too: later they might
                await log.keep([(u, k, f, a.status, a.headers, a.body) for u, k, f, a in self._new])
        if self._entries:
            sealer.committed()
        self.cache.keep(self.organization_id, states)
        return outcomes

    async def _decided(
        self, log: Log, head: Head, states: dict[UUID, State | None], sealer: Sealer
    ) -> tuple[list[Answer | Exception], dict[UUID, State | None]]:
        """The outcomes and the states they lead to. Where keys have to be looked up first, all is decided again."""
        kept, context = dict(self._kept), self._context(head)
        while True:
            self._entries, self._kept, self._new, self._key_changes = [], dict(kept), [], []
            tried = dict(states)
            outcomes = self._decide(head, Streams(tried), context, sealer)
            if not sealer.missing:
                return outcomes, tried
            people, sealer.missing = sealer.missing, set()
            sealer.found(people, await (await log.keys_of(people)).fetchall())

    async def _change_keys(self, log: Log, sealer: Sealer) -> None:
        if made := sealer.used():
            await log.keep_data_keys(made)
        for change in self._key_changes:
            if change.subject is None:
                await log.destroy_data_key(change.erasure_id, forget=change.forget)
            else:
                await log.close_data_key(change.subject, change.erasure_id)

    async def _open(self, log: Log, sealer: Sealer) -> tuple[Head, dict[UUID, State | None]]:
        known = self._known({})
        taken = await log.take()
        loaded = await log.load(known)
        commands = [order.command for order in self.orders]
        people = sealer.unknown(commands, known)
        keys = await log.keys_of(people) if people else None
        asked = self._asked()
        answers = await log.answers(asked) if asked else None
        head = await head_of(taken)
        states = await folded(log, known, loaded)
        if keys is not None:
            sealer.found(people, await keys.fetchall())
        self._forget_what_was_erased(known, states)
        while missing := {key: state for key, state in self._known(states).items() if key not in states}:
            loaded = await log.load(missing)
            people = sealer.unknown(commands, states | missing)
            keys = await log.keys_of(people) if people else None
            states |= await folded(log, missing, loaded)
            if keys is not None:
                sealer.found(people, await keys.fetchall())
        if answers is not None:
            for user, key, fingerprint, status, headers, body in await answers.fetchall():
                self._kept[user, key] = (fingerprint, Answer(status, body, headers, replayed=True))
        return head, states

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

    def _forget_what_was_erased(self, known: Mapping[UUID, State | None], states: Mapping[UUID, State | None]) -> None:
        """Somebody's data were erased since this worker last looked: what it remembers may be of that person."""
        erasures = states[ERASURES]
        if self.in_use.at(self.organization_id, erasures.version if erasures is not None else 0):
            self.cache.forget_organization(self.organization_id)
            RING.forget(self.organization_id)

    def _asked(self) -> list[tuple[str, str]]:
        commands = [order.command for order in self.orders]
        return [(c.actor.user_id, c.retry_key.key) for c in commands if c.retry_key is not None]

    async def _was_committed(self, log: Log, attempt: Attempt) -> bool:
        return await log.command_at(attempt.first_position) == attempt.command_id

    def _context(self, head: Head) -> Context:
        """Time never runs backwards in a log, whatever the clocks of two machines say."""
        now = self.clock()
        if head.recorded_at is not None:
            now = max(now, head.recorded_at)
        self._recorded_at = now
        return Context(now=now, policy=self.policy)

    def _decide(self, head: Head, streams: Streams, context: Context, sealer: Sealer) -> list[Answer | Exception]:
        outcomes: list[Answer | Exception] = []
        for order in self.orders:
            try:
                outcomes.append(self._answer(order, streams, context, head.position, sealer))
            except Refusal as refusal:
                outcomes.append(refusal)
            except Exception as failure:  # noqa: BLE001  a defect in one order must not fail its neighbours
                outcomes.append(failure)
        return outcomes

    def _answer(self, order: Order, streams: Streams, context: Context, head: int, sealer: Sealer) -> Answer:
        command = order.command
        if (kept := self._replayed(order)) is not None:
            return kept
        subject = command.subject()
        if command.expected_version is not None and subject is not None:
            state = streams.states.get(subject)
            if state is not None and state.version != command.expected_version:
                raise StaleVersion(subject, command.expected_version, state.version)
        decision = order.handler(command, streams, context)
        entries, evolved = self._evolved(order, decision, streams, head + len(self._entries), sealer)
        states = Streams(ChainMap(evolved, streams.states))
        position = head + len(self._entries) + len(entries)
        answer = order.answer(Receipt(decision.subject, states, position, context.now, decision.details))
        if entries:
            receipt = self._receipt(entries, head + len(self._entries))
            answer = replace(answer, headers={**answer.headers, AUDIT_RECEIPT: receipt})
        streams.states.update(evolved)
        self._entries += entries
        self._key_changes += decision.key_changes
        self._keep(order, answer)
        return answer

    def _evolved(
        self, order: Order, decision: Decision, streams: Streams, last: int, sealer: Sealer
    ) -> tuple[list[Entry], dict[UUID, State | None]]:
        """The entries a decision makes after position `last`, and the states they lead to."""
        metadata = _metadata(order.command)
        entries: list[Entry] = []
        evolved: dict[UUID, State | None] = {}
        for key, facts in decision.facts:
            for fact in facts:
                before = evolved.get(key) or streams.states.get(key)
                state = advance(before, fact, last + len(entries) + 1)
                evolved[key] = state
                entries.append(Entry(key, state.version, fact, metadata, sealer.stored(fact, state, key)))
        return entries, evolved

    def _receipt(self, entries: Sequence[Entry], last: int) -> str:
        """What the caller can hold against the log later: the leaves of these entries, after position `last`."""
        recorded_at = instant(self._recorded_at)
        leaves = [
            self._leaves.of(position, e.key, e.version, e.event.name, recorded_at, e.metadata, e.state)
            for position, e in enumerate(entries, start=last + 1)
        ]
        return receipt_of(last + 1, leaves)

    def _replayed(self, order: Order) -> Answer | None:
        if (retry := order.command.retry_key) is None:
            return None
        kept = self._kept.get((order.command.actor.user_id, retry.key))
        if kept is None:
            return None
        fingerprint, answer = kept
        if fingerprint != retry.fingerprint:
            raise KeyUsedOtherwise
        return answer

    def _keep(self, order: Order, answer: Answer) -> None:
        if (retry := order.command.retry_key) is None:
            return
        user = order.command.actor.user_id
        replay = Answer(answer.status, answer.body, answer.headers, replayed=True)
        self._kept[user, retry.key] = (retry.fingerprint, replay)
        self._new.append((user, retry.key, retry.fingerprint, answer))

    async def _append(self, log: Log, head: Head, outcomes: list[Answer | Exception]) -> None:
        self.attempt = Attempt(head.position + 1, self._entries[0].metadata["command_id"], outcomes)
        await log.append(self._entries, self._recorded_at)

    async def _keep_api_keys(self, log: Log, states: Mapping[UUID, State | None]) -> None:
        """What the door looks at is written with the facts: a new key works at once, a revoked one stops."""
        for key in {entry.key for entry in self._entries if isinstance(entry.event, ApiKeyFact)}:
            if isinstance(made := states[key], ApiKey):
                await log.keep_api_key(made)


def _metadata(command: Command) -> Mapping[str, str]:
    metadata = {"actor": command.actor.user_id, "command_id": command.command_id}
    if command.actor.client is not None:
        metadata["client"] = command.actor.client
    if command.request_id is not None:
        metadata["correlation_id"] = command.request_id
    return metadata
