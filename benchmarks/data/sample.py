"""Unequal organisations with a year of activities: most of what was due is done, some is late, much is to come."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

from benchmarks.data.words import FREQUENT, TOPICS, rare_words, word
from domain.vocabulary import ActivityType, Priority, RecordKind, Status

USERS = 50
DAYS = 365
_SHARES = {"large": 1.0, "middle": 0.2, "small": 0.1}
_TYPES = tuple(ActivityType)[:12]
_PAST = ((0.84, Status.COMPLETED), (0.92, Status.CANCELLED), (0.97, Status.PENDING), (1.0, Status.IN_PROGRESS))
_COMING = ((0.75, Status.PENDING), (0.83, Status.IN_PROGRESS), (0.87, Status.WAITING), (0.92, Status.DEFERRED))


@dataclass(frozen=True, slots=True)
class Sampled:
    """An activity as it was said (plain JSON values), what it came to since, and when it was recorded."""

    key: UUID
    at: datetime
    status: Status
    said: dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """One organisation. `now` divides what was due from what is to come."""

    organization: str
    rows: int
    now: datetime
    seed: int = 20260101

    @cached_property
    def _random(self) -> Random:
        return Random(f"{self.seed} {self.organization} {self.rows}")  # noqa: S311

    @property
    def begun(self) -> datetime:
        """When the records were recorded, and from then on the activities."""
        return self.now - timedelta(days=DAYS)

    @property
    def counts(self) -> dict[RecordKind, int]:
        """How many records there are to speak of."""
        many = max(100, self.rows // 50)
        return {
            RecordKind.USER: USERS,
            RecordKind.CUSTOMER: many,
            RecordKind.CONTACT: many,
            RecordKind.OPPORTUNITY: many // 2,
        }

    def records(self) -> Iterator[tuple[RecordKind, str, dict[str, Any]]]:
        for kind, count in self.counts.items():
            for number in range(1, count + 1):
                yield kind, f"{kind.value}-{number}", _record(kind, number)

    def activities(self) -> Iterator[Sampled]:
        """All of them, in the order in which they were recorded; the same at every call."""
        again, step = replace(self), timedelta(days=DAYS) / self.rows
        for number in range(self.rows):
            at = self.begun + step * number
            yield again._sampled(number, at, again._days_until_due())

    def pending(self, count: int, seed: int) -> Iterator[Sampled]:
        """Some more, just recorded, to be worked on."""
        more = replace(self, seed=seed)
        for number in range(count):
            yield more._sampled(number, self.now, more._random.uniform(1, 60), Status.PENDING)

    def said(self, number: int, due: datetime) -> dict[str, Any]:
        """What may be said of a new activity; `number` chooses the rare word."""
        r, rare = self._random, word(FREQUENT + number * 7919 % rare_words(self.rows))
        topic, other, type_ = r.choice(TOPICS), r.choice(TOPICS), r.choice(_TYPES)
        kind = r.choice((RecordKind.CUSTOMER, RecordKind.OPPORTUNITY))
        return {
            "type": type_.value,
            "subject": f"{type_.label}: {topic} with {rare.capitalize()}",
            "description": f"Prepare and discuss {other}; note the open points about {word(r.randrange(FREQUENT))} "
            "and agree on who writes the summary. They asked to keep it short and to send numbers in advance.",
            "activityable_type": kind.value,
            "activityable_id": self._some(kind),
            "contact_id": self._some(RecordKind.CONTACT),
            "assigned_user_id": self._some(RecordKind.USER),
            "due_at": _text(due),
            "reminder_at": _text(due - timedelta(minutes=15)),
            "duration_minutes": r.choice((15, 30, 30, 45, 60, 90)),
            "priority": r.choice(tuple(Priority)).value,
            "location": "Room 4",
            "tags": [topic, r.choice(("q1", "q2", "q3", "q4"))],
        }

    def _some(self, kind: RecordKind) -> str:
        return f"{kind.value}-{self._random.randint(1, self.counts[kind])}"

    def _days_until_due(self) -> float:
        return self._random.choice((0, 1, 2, 3, 5, 7, 14, 21)) if self._random.random() < 0.65 else DAYS

    def _sampled(self, number: int, at: datetime, days: float, status: Status | None = None) -> Sampled:
        r = self._random
        coming = self.now + timedelta(minutes=r.randrange(60 * 24, 60 * 24 * 60))
        due = min(at + timedelta(days=days, minutes=r.randrange(60 * 9)), coming).replace(second=0, microsecond=0)
        if status is None:
            status = self._fate(_PAST if due < self.now else _COMING)
        key = UUID(int=int(at.timestamp() * 1000) << 80 | r.getrandbits(80))
        return Sampled(key, at, status, self.said(number, due))

    def _fate(self, odds: tuple[tuple[float, Status], ...]) -> Status:
        chance = self._random.random()
        return next((status for bound, status in odds if chance < bound), Status.COMPLETED)


def organizations(rows: int, now: datetime) -> list[Sample]:
    """The one that is measured has `rows` activities; two smaller ones live beside it."""
    return [Sample(name, max(50, int(rows * share)), now) for name, share in _SHARES.items()]


def _record(kind: RecordKind, number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": f"{kind.value.capitalize()} {word(5_000_000 + number).capitalize()}"}
    if kind is RecordKind.OPPORTUNITY:
        return fields | {"value": 1000.0 * (1 + number % 500), "stage": "proposal"}
    return fields | {"email": f"{kind.value}.{number}@example.com"}


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
