"""What a command is, what a handler answers it with, and what the caller gets back.

A handler is a plain function `(command, streams, context) -> Decision`: it looks, decides, and returns facts
by stream. It does no I/O; the desk loads before it and appends after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from application.event_store.mapper import Event, State
from application.streams import Streams
from application.ulids import new_ulid


class Actor(BaseModel):
    """Who acts, and by means of which client."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    client: str | None = None


class RetryKey(BaseModel):
    """An Idempotency-Key: one user's, for one request and its repetitions."""

    model_config = ConfigDict(frozen=True)

    key: str
    fingerprint: bytes


class Command(BaseModel):
    """Who wants what, in which organisation. `command_id` marks the facts it leads to."""

    model_config = ConfigDict(frozen=True)

    organization_id: str
    actor: Actor
    command_id: str = Field(default_factory=new_ulid)
    request_id: str | None = None
    expected_version: int | None = None
    retry_key: RetryKey | None = None

    def keys(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        """The streams the decision needs, as far as they can be told from the states known so far."""
        raise NotImplementedError(type(self))

    def people(self, known: Mapping[UUID, State | None]) -> set[UUID]:
        """Whose keys the facts will likely be sealed with, to be looked up beforehand; others are looked up late."""
        return set()

    def subject(self) -> UUID | None:
        """The stream whose version `expected_version` speaks of."""
        return None


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator settled for every organisation."""

    currency: str = "USD"
    strict_references: bool = True
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may depend on besides the facts."""

    now: datetime
    policy: Policy


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What becomes of a person's key in the transaction of the facts: closed for `subject`, or destroyed.

    Destroyed, whose it was is forgotten too, if asked. `named` is kept sealed from the one to the other.
    """

    erasure_id: str
    subject: UUID | None = None
    forget: bool = False
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Facts by stream, in the order to record them, and the stream the answer is about."""

    subject: UUID | None
    facts: Sequence[tuple[UUID, Sequence[Event]]] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    key_changes: Sequence[KeyChange] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a command: the subject and the records it refers to, as they are now."""

    subject: UUID | None
    streams: Streams
    position: int
    now: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told, as bytes; kept for retries of a command that had a retry key."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


AUDIT_RECEIPT = "Audit-Receipt"
"""Header of every answer to a command that recorded something: `application.proof.receipts`."""

Handler = Callable[[Any, Streams, Context], Decision]


@dataclass(frozen=True, slots=True)
class Order:
    """A command with the handler that decides it and the words its receipt is answered in."""

    command: Command
    handler: Handler
    answer: Callable[[Receipt], Answer]
