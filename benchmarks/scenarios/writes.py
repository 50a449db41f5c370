"""Commands: create, reschedule, complete, change."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from time import time_ns

from benchmarks.data.words import word
from benchmarks.load.requests import Requests
from benchmarks.scenarios.scenario import Scenario
from benchmarks.targets.target import Target
from domain.vocabulary import Priority, Status

BODIES = 2_000
_MOST_PER_SECOND = {"service": 3_500, "crud": 1_000, "stock": 1_000}
_ALL = ("service", "crud", "stock")


def create(target: Target, seconds: int) -> Sequence[bytes]:
    requests, sample, r = Requests(target), target.main, Random(4)  # noqa: S311
    dues = (sample.now + timedelta(minutes=r.randrange(1440, 86400)) for _ in range(BODIES))
    return [requests.post("/activities", sample.said(number, due)) for number, due in enumerate(dues)]


def reschedule(target: Target, seconds: int) -> Sequence[bytes]:
    requests, r = Requests(target), Random(5)  # noqa: S311
    made = []
    for id_ in pending(target, r):
        to = target.main.now + timedelta(minutes=r.randrange(1440, 86400))
        body = {"new_due_at": to.isoformat(), "reason": "They asked for another day"}
        made.append(requests.post(f"/activities/{id_}/reschedule", body))
    return made


def complete(target: Target, seconds: int) -> Sequence[bytes]:
    """Each can be completed once, so new ones are put there first, by the quick way."""
    count, requests = _MOST_PER_SECOND[target.name] * seconds + 500, Requests(target)
    fresh = list(target.main.pending(count, seed=time_ns()))
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
                "location": f"Room {r.randrange(1000)}",
            },
        )
        for id_ in pending(target, r)
    ]


def pending(target: Target, r: Random) -> list[str]:
    ids = [target.id_of(one.key) for one in target.main.activities() if one.status is Status.PENDING]
    return r.sample(ids, min(len(ids), 10_000))


CREATE = Scenario("create", "create", (*_ALL, "echo"), create, writes=True)
WRITES = (
    CREATE,
    Scenario("create-alone", "create, one caller", (*_ALL, "echo"), create, connections=1, writes=True),
    Scenario("reschedule", "reschedule", _ALL, reschedule, writes=True),
    Scenario("complete", "complete", _ALL, complete, writes=True, once=True),
    Scenario("patch", "change three fields", _ALL, patch, writes=True),
)
