"""Deciding the orders of one batch, in order, each upon what those before it have led to. No I/O.

A refusal touches its own order only.
"""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from application.command import AUDIT_RECEIPT, Answer, Command, Context, Decision, KeyChange, Order, Receipt
from application.event_store.log import Entry
from application.event_store.mapper import State, advance
from application.proof.leaf import Leaves, instant
from application.proof.receipts import receipt_of
from application.refusals import KeyUsedOtherwise, StaleVersion
from application.sealer import Sealer
from application.streams import Streams
from domain.refusals import Refusal

Outcome = Answer | Exception


class Kept(NamedTuple):
    """The answer kept for retries of one command, and the fingerprint of what the command said."""

    fingerprint: bytes
    answer: Answer


class NewAnswer(NamedTuple):
    """An answer to be kept for retries, and whose it is: the user and the key they gave."""

    user: str
    key: str
    kept: Kept

    def stored(self) -> tuple[str, str, bytes, int, Mapping[str, str], bytes]:
        """As the log keeps it."""
        answer = self.kept.answer
        return self.user, self.key, self.kept.fingerprint, answer.status, answer.headers, answer.body


class Deciding:
    """One attempt to decide. `states` are those the decisions see, and in the end those they have led to.

    `last` is the position the log ends at; `kept` the answers given to these commands before, by user and key.
    """

    def __init__(
        self,
        organization_id: str,
        last: int,
        states: dict[UUID, State | None],
        kept: dict[tuple[str, str], Kept],
        context: Context,
        sealer: Sealer,
    ) -> None:
        self.last = last
        self.states = states
        self.kept = kept
        self.context = context
        self.sealer = sealer
        self.entries: list[Entry] = []
        self.new_answers: list[NewAnswer] = []
        self.key_changes: list[KeyChange] = []
        self.outcomes: Sequence[Outcome] = ()
        self._leaves = Leaves(organization_id)

    def decide(self, orders: Sequence[Order]) -> None:
        self.outcomes = [self._outcome(order) for order in orders]

    def _outcome(self, order: Order) -> Outcome:
        try:
            return self._answer(order)
        except Refusal as refusal:
            return refusal
        except Exception as failure:  # noqa: BLE001  a defect in one order must not fail its neighbours
            return failure

    def _answer(self, order: Order) -> Answer:
        command = order.command
        if (kept := self._replayed(order)) is not None:
            return kept
        self._check_version(command)
        decision = order.handler(command, Streams(self.states), self.context)
        before = self.last + len(self.entries)
        entries, evolved = self._evolved(order, decision, before)
        states = Streams(ChainMap(evolved, self.states))
        position = before + len(entries)
        answer = order.answer(Receipt(decision.subject, states, position, self.context.now, decision.details))
        if entries:
            receipt = self._receipt(entries, before)
            answer = replace(answer, headers={**answer.headers, AUDIT_RECEIPT: receipt})
        self.states.update(evolved)
        self.entries += entries
        self.key_changes += decision.key_changes
        self._keep(order, answer)
        return answer

    def _check_version(self, command: Command) -> None:
        subject = command.subject()
        if command.expected_version is None or subject is None:
            return
        state = self.states.get(subject)
        if state is not None and state.version != command.expected_version:
            raise StaleVersion(subject, command.expected_version, state.version)

    def _evolved(self, order: Order, decision: Decision, before: int) -> tuple[list[Entry], dict[UUID, State | None]]:
        """The entries a decision makes after the position `before`, and the states they lead to."""
        metadata = _metadata(order.command)
        entries: list[Entry] = []
        evolved: dict[UUID, State | None] = {}
        for key, facts in decision.facts:
            for fact in facts:
                state = advance(evolved.get(key) or self.states.get(key), fact, before + len(entries) + 1)
                evolved[key] = state
                entries.append(Entry(key, state.version, fact, metadata, self.sealer.stored(fact, state, key)))
        return entries, evolved

    def _receipt(self, entries: Sequence[Entry], before: int) -> str:
        """What the caller can hold against the log later: the leaves of these entries, after position `before`."""
        recorded_at = instant(self.context.now)
        leaves = [
            self._leaves.of(position, e.key, e.version, e.event.name, recorded_at, e.metadata, e.state)
            for position, e in enumerate(entries, start=before + 1)
        ]
        return receipt_of(before + 1, leaves)

    def _replayed(self, order: Order) -> Answer | None:
        if (retry := order.command.retry_key) is None:
            return None
        kept = self.kept.get((order.command.actor.user_id, retry.key))
        if kept is None:
            return None
        if kept.fingerprint != retry.fingerprint:
            raise KeyUsedOtherwise
        return kept.answer

    def _keep(self, order: Order, answer: Answer) -> None:
        """For retries later, and for those within the batch."""
        if (retry := order.command.retry_key) is None:
            return
        user = order.command.actor.user_id
        self.new_answers.append(NewAnswer(user, retry.key, Kept(retry.fingerprint, answer)))
        replay = Answer(answer.status, answer.body, answer.headers, replayed=True)
        self.kept[user, retry.key] = Kept(retry.fingerprint, replay)


def _metadata(command: Command) -> Mapping[str, str]:
    metadata = {"actor": command.actor.user_id, "command_id": command.command_id}
    if command.actor.client is not None:
        metadata["client"] = command.actor.client
    if command.request_id is not None:
        metadata["correlation_id"] = command.request_id
    return metadata
