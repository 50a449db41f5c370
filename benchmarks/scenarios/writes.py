"""Commands: create, reschedule, complete, change."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count, cycle, islice
from random import Random
from time import time_ns

from benchmarks.data.words import word
from benchmarks.load.requests import Requests
from benchmarks.scenarios.scenario import Scenario
from benchmarks.targets.target import Target
from domain.vocabulary import Priority, Status

BODIES = 2_000
_MOST_PER_SECOND = {"service": 3_500, "crud": 1_000, "stock": 1_000}
_NEVER_SAID = count(1)
_ALL = ("service", "crud", "stock")


def create(target: Target, seconds: int) -> Sequence[bytes]:
    requests, sample, r = Requests(target), target.main, Random(4)  # noqa: S311
    dues = (sample.now + timedelta(minutes=r.randrange(1440, 86400)) for _ in range(BODIES))
    return [requests.post("/activities", sample.said(number, due)) for number, due in enumerate(dues)]


def reschedule(target: Target, seconds: int) -> Sequence[bytes]:
    requests, day = Requests(target), target.main.now + timedelta(days=1)
    return [
        requests.post(
            f"/activities/{id_}/reschedule",
            {"new_due_at": (day + timedelta(minutes=number)).isoformat(), "reason": "They asked for another day"},
        )
        for id_, number in _changing(target, seconds)
    ]


def complete(target: Target, seconds: int) -> Sequence[bytes]:
    """Each can be completed once, so new ones are put there first, by the quick way."""
    many, requests = _most(target, seconds), Requests(target)
    fresh = list(target.main.pending(many, seed=time_ns()))
    target.add(fresh)
    body = {"outcome": "Agreed on the next steps; they answer within the week.", "duration_minutes": 25}
    return [requests.post(f"/activities/{target.id_of(one.key)}/complete", body) for one in fresh]


def patch(target: Target, seconds: int) -> Sequence[bytes]:
    requests, r = Requests(target), Random(6)  # noqa: S311
    return [
        requests.patch(
            f"/activities/{id_}",
            {
                "description": f"Talk about {word(r.randrange(100))} and {word(r.randrange(100))}.",
                "priority": r.choice(tuple(Priority)).value,
                "location": f"Room {number}",
            },
        )
        for id_, number in _changing(target, seconds)
    ]


def _changing(target: Target, seconds: int) -> Iterator[tuple[str, int]]:
    """Pending activities, over and over, each time with a number never said: the same said again is no change."""
    ids = [target.id_of(one.key) for one in target.main.activities() if one.status is Status.PENDING]
    Random(5).shuffle(ids)  # noqa: S311
    return zip(cycle(ids), islice(_NEVER_SAID, _most(target, seconds)), strict=False)


def _most(target: Target, seconds: int) -> int:
    """More commands than the target can take in a burst."""
    return _MOST_PER_SECOND[target.name] * seconds + 500


CREATE = Scenario("create", "create", (*_ALL, "echo"), create, writes=True)
WRITES = (
    CREATE,
    Scenario("create-alone", "create, one caller", (*_ALL, "echo"), create, connections=1, writes=True),
    Scenario("reschedule", "reschedule", _ALL, reschedule, writes=True, once=True),
    Scenario("complete", "complete", _ALL, complete, writes=True, once=True),
    Scenario("patch", "change three fields", _ALL, patch, writes=True, once=True),
)
