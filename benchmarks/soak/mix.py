"""What a working day asks: mostly questions, many changes, some new activities. By chance, from a seed."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from benchmarks.data.words import FREQUENT, TOPICS, rare_words, word
from benchmarks.load.requests import Requests
from benchmarks.targets.target import Target
from domain.vocabulary import Status

SHARES = {
    "create": 10,
    "patch": 15,
    "reschedule": 10,
    "complete": 4,
    "detail": 26,
    "list": 15,
    "overdue": 10,
    "search": 10,
}
"""Of a hundred requests."""
COMMANDS = ("create", "patch", "reschedule", "complete")
_MOST_OPEN = 5_000


@dataclass(frozen=True, slots=True)
class Request:
    kind: str
    said: bytes
    answered: Callable[[bytes], None]


class Mix:
    """Endless requests, of which none is refused: what is to be completed is not changed by anybody else."""

    def __init__(self, target: Target) -> None:
        self._requests, self._sample, self._chance = Requests(target), target.main, Random(20260101)  # noqa: S311
        pending = (target.id_of(one.key) for one in target.main.activities() if one.status is Status.PENDING)
        self._open = deque(pending, maxlen=_MOST_OPEN)
        self._to_complete: deque[str] = deque()
        self._made = 0
        self._kinds, self._weights = tuple(SHARES), tuple(SHARES.values())

    def next(self) -> Request:
        (kind,) = self._chance.choices(self._kinds, self._weights)
        if kind == "complete" and not self._to_complete:
            kind = "create"
        if kind == "create":
            return Request(kind, self._create(), self._created)
        return Request(kind, getattr(self, f"_{kind}")(), _nothing)

    def _create(self) -> bytes:
        self._made += 1
        return self._requests.post("/activities", self._sample.said(self._made, self._due()))

    def _created(self, body: bytes) -> None:
        made = json.loads(body)["data"]["id"]
        (self._to_complete if self._made % 2 else self._open).append(made)

    def _patch(self) -> bytes:
        r = self._chance
        description = (
            f"Talk about {word(r.randrange(FREQUENT))} and {word(r.randrange(FREQUENT))}, number {r.random()}."
        )
        return self._requests.patch(f"/activities/{r.choice(self._open)}", {"description": description})

    def _reschedule(self) -> bytes:
        to = {"new_due_at": self._due().isoformat(), "reason": "They asked for another day"}
        return self._requests.post(f"/activities/{self._chance.choice(self._open)}/reschedule", to)

    def _complete(self) -> bytes:
        done = {"outcome": "Agreed on the next steps.", "duration_minutes": 25}
        return self._requests.post(f"/activities/{self._to_complete.popleft()}/complete", done)

    def _detail(self) -> bytes:
        return self._requests.get(f"/activities/{self._chance.choice(self._open)}")

    def _list(self) -> bytes:
        priority = self._chance.choice(("low", "medium", "high", "urgent", "critical"))
        return self._requests.get("/activities", status="open", priority=priority, per_page=25)

    def _overdue(self) -> bytes:
        return self._requests.get("/activities/overdue", per_page=25)

    def _search(self) -> bytes:
        r = self._chance
        rare = word(FREQUENT + r.randrange(rare_words(self._sample.rows)))
        return self._requests.get("/activities/search", q=r.choice((rare, rare, r.choice(TOPICS))))

    def _due(self) -> datetime:
        return self._sample.now + timedelta(minutes=self._chance.randrange(1440, 86_400))


def _nothing(body: bytes) -> None:
    pass
