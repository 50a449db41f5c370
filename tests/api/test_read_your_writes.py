"""A read that arrives after an acknowledged write sees it, on any worker, whichever read model answers."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import pytest
from service import Client, Json, Service

THREADS = 8
WRITES_EACH = 250
CAN_BE_LATE = ("pending", "in_progress", "waiting")
PAST, FUTURE = "2025-01-01T10:00:00Z", "2099-01-01T10:00:00Z"
EMBEDDED = {"activityable", "contact", "assigned_user", "created_by"}
"""Shown in more or fewer words, depending on where."""


class Writer:
    """Writes on one connection, and reads each write back on a new one, which the other worker may take."""

    def __init__(self, name: int, writing: Client, reading: Client) -> None:
        self.chance = random.Random(name)
        self.name = name
        self.writing, self.reading = writing, reading
        self.mine: list[Json] = []
        self.words = 0
        self.asked: Counter[str] = Counter()
        self.stale: list[str] = []

    def run(self) -> "Writer":
        for _ in range(WRITES_EACH):
            written, deleted = self.write()
            question = self.chance.choice((self.detail, self.listed, self.searched, self.overdue))
            self.asked[question.__name__] += 1
            seen, reply = question(written)
            expected = None if deleted or (question == self.overdue and not is_late(written)) else comparable(written)
            if seen != expected:
                self.stale.append(f"{question.__name__} of version {written['version']} saw {seen}")
            if "projection-lag" in reply.headers:
                self.stale.append(f"{question.__name__} lags by {reply.headers['projection-lag']}")
        return self

    def write(self) -> tuple[Json, bool]:
        """One command on a new activity or one of mine: how it is now, and whether it is deleted."""
        if not self.mine or self.chance.random() < 0.3:
            made = self.writing.create(subject=self.word(), due_at=self.chance.choice((PAST, FUTURE, None)))
            self.mine.append(made)
            return made, False
        n = self.chance.randrange(len(self.mine))
        activity = self.mine[n]
        actions = [action for action in activity["allowed_actions"] if action in WAYS]
        action = self.chance.choice(actions)
        if action == "update" and activity["status"] != "completed":
            self.mine[n] = self.writing.patch(activity, subject=self.word())
        elif action == "update":
            self.mine[n] = self.writing.patch(activity, description=self.word())
        elif action == "reschedule":
            due = self.chance.choice((PAST, FUTURE))
            self.mine[n] = self.writing.act(activity, action, new_due_at=due)
        elif action == "delete":
            del self.mine[n]
            return self.writing.delete(activity), True
        else:
            self.mine[n] = self.writing.act(activity, action)
        return self.mine[n], False

    def word(self) -> str:
        """A word nobody else says, nor one like it: whoever asks for a word nobody says is told of those like it."""
        self.words += 1
        return sha256(f"{self.name} {self.words}".encode()).hexdigest()[:12]

    def detail(self, activity: Json) -> tuple[Json | None, httpx.Response]:
        reply = self.reading.call("GET", f"/activities/{activity['id']}")
        return (comparable(reply.json()["data"]) if reply.status_code == 200 else None), reply

    def listed(self, activity: Json) -> tuple[Json | None, httpx.Response]:
        return self.only("/activities", search=activity["subject"])

    def searched(self, activity: Json) -> tuple[Json | None, httpx.Response]:
        return self.only("/activities/search", q=activity["subject"])

    def overdue(self, activity: Json) -> tuple[Json | None, httpx.Response]:
        return self.only("/activities/overdue", search=activity["subject"])

    def only(self, path: str, **params: str) -> tuple[Json | None, httpx.Response]:
        reply = self.reading.call("GET", path, params=params)
        rows: list[Json] = reply.json()["data"]
        assert len(rows) < 2
        return (comparable(rows[0]) if rows else None), reply


WAYS = ("start", "wait", "resume", "defer", "reschedule", "complete", "cancel", "update", "delete")


def comparable(shown: Json) -> Json:
    return {name: value for name, value in shown.items() if name not in {*EMBEDDED, "highlight", "days_overdue"}}


def is_late(activity: Json) -> bool:
    return activity["status"] in CAN_BE_LATE and activity["due_at"] == PAST


@pytest.mark.timeout(120)
def test_no_read_is_older_than_a_write_that_was_acknowledged_before(service: Service) -> None:
    with service.client() as first:
        first.record()

        def write_and_read(name: int) -> Writer:
            with (
                service.client(first.organization, f"u-{name}") as writing,
                service.client(first.organization, f"u-{name}", keep_alive=False) as reading,
            ):
                return Writer(name, writing, reading).run()

        before = service.worked()
        with ThreadPoolExecutor(THREADS) as pool:
            writers = list(pool.map(write_and_read, range(THREADS)))

    assert [stale for writer in writers for stale in writer.stale] == []
    asked = sum((writer.asked for writer in writers), Counter())
    assert asked.total() == THREADS * WRITES_EACH
    assert all(asked[question] > 300 for question in ("detail", "listed", "searched", "overdue"))
    assert all(service.worked()[worker] > seconds for worker, seconds in before.items()), "one worker did it all"


def test_an_organisation_nobody_wrote_to_has_nothing_to_wait_for(service: Service) -> None:
    with service.client() as newcomer:
        reply = newcomer.call("GET", "/activities")
        assert (reply.status_code, reply.json()["data"]) == (200, [])
        assert "projection-lag" not in reply.headers


def test_names_of_related_records_are_as_fresh_as_the_activities(client: Client) -> None:
    activity = client.create()
    for name in ("Acme", "Acme Corp", "Acme Incorporated"):
        client.record("customers", "c-1", name=name)
        assert client.get(activity)["activityable"]["name"] == name
        assert client.rows()[0]["activityable"]["name"] == name
        assert client.rows("/customers")[0]["name"] == name
