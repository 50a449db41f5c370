"""Lists, search and overdue as of any moment: what the service would have answered then."""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from service import Client, Json, Service, id_of

CUSTOMERS = ("c-1", "c-2", "c-3")
WORDS = "proposal pricing renewal contract onboarding migration security budget roadmap feedback".split()
QUESTIONS: tuple[tuple[str, Json], ...] = (
    ("/activities", {}),
    ("/activities", {"sort_by": "priority", "sort_direction": "desc", "per_page": 4, "page": 2}),
    ("/activities", {"sort_by": "created_at", "status": "open", "includes": "activityable"}),
    ("/activities", {"status": "overdue", "activityable_id": "c-1,c-2", "sort_direction": "desc"}),
    ("/activities", {"tags": "a", "priority": "low,high", "due_date_from": "2031-01-05"}),
    ("/activities", {"search": "pro", "status": "closed,pending"}),
    ("/activities/overdue", {}),
    ("/activities/overdue", {"sort_by": "entity_value", "sort_direction": "desc", "per_page": 3}),
    ("/activities/overdue", {"priority": "high", "assigned_user_id": "me", "sort_by": "days_overdue"}),
    ("/activities/search", {"q": "proposal"}),
    ("/activities/search", {"q": "pric", "status": "open"}),
    ("/activities/search", {"q": "rodmap budgt"}),
    ("/activities/follow-ups", {"state": "all"}),
)


@dataclass
class Moment:
    """Where the log stood, when that was recorded, and what was answered."""

    position: int
    recorded_at: datetime
    answers: list[Json]


class History:
    """Random commands, and what was answered after each of them."""

    def __init__(self, client: Client, seed: int, steps: int) -> None:
        self.client = client
        self.chance = random.Random(seed)
        self.calls: list[str] = []
        for number, customer in enumerate(CUSTOMERS):
            client.record("opportunities", customer, name=f"Deal {customer}", value=1000 * number)
            client.record("customers", customer)
        self.moments = [self._now()]
        for _ in range(steps):
            self._step()
            self.moments.append(self._now())

    def _now(self) -> Moment:
        answers = [self.client.ok("GET", path, params=asked) for path, asked in QUESTIONS]
        entry = self.client.ok("GET", "/audit/events", params={"after": self.client.recorded() - 1})["data"][0]
        return Moment(entry["position"], datetime.fromisoformat(entry["recorded_at"]), answers)

    def _step(self) -> None:
        chance = self.chance
        if len(self.calls) < 4 or chance.random() < 0.25:
            self.calls.append(id_of(self.client.create(**self._words(), **self._facts())))
            return
        call = chance.choice(self.calls)
        path, body = chance.choice(
            [
                ("", self._words() | self._facts()),
                ("", self._words()),
                ("/reschedule", {"new_due_at": self._due()}),
                ("/complete", {"outcome": "Done", "follow_up_date": "2032-01-01"}),
                ("/cancel", {}),
                ("/defer", {}),
                ("DELETE", None),
                ("/restore", {}),
                ("RENAME", None),
            ]
        )
        if path == "RENAME":
            customer = chance.choice(CUSTOMERS)
            fields = {"name": f"Deal {chance.randrange(99)}", "value": chance.randrange(9000)}
            self.client.ok("PATCH", f"/opportunities/{customer}", fields)
        elif path == "DELETE":
            self.client.call("DELETE", f"/activities/{call}")
        else:
            self.client.call("POST" if path else "PATCH", f"/activities/{call}{path}", body)

    def _words(self) -> Json:
        said = self.chance.sample(WORDS, 4)
        return {"subject": " ".join(said[:2]), "description": " ".join(said[2:])}

    def _facts(self) -> Json:
        chance = self.chance
        return {
            "activityable_type": chance.choice(["customer", "opportunity"]),
            "activityable_id": chance.choice(CUSTOMERS),
            "priority": chance.choice(["low", "medium", "high"]),
            "tags": chance.sample(["a", "b", "c"], 2),
            "due_at": self._due(),
        }

    def _due(self) -> str | None:
        day = self.chance.choice([None, *range(1, 28)])
        return None if day is None else f"{self.chance.choice([2021, 2031])}-01-{day:02}T09:00:00Z"


@pytest.fixture(scope="module")
def history(service: Service) -> Any:
    with service.client() as client:
        yield History(client, seed=11, steps=70)


def compared(answer: Json) -> Json:
    """Cursors are of the moment they were asked for."""
    meta = {name: value for name, value in answer["meta"].items() if name != "next_cursor"}
    return {"data": answer["data"], "meta": meta, "more": answer["meta"]["next_cursor"] is not None}


@pytest.mark.timeout(600)
def test_a_thousand_moments_are_answered_as_they_were_answered_then(history: History) -> None:
    chance = random.Random(5)
    for number in sorted(chance.randrange(len(history.moments)) for _ in range(1000)):
        moment = history.moments[number]
        asked_as = f"position:{moment.position}"
        if chance.random() < 0.5:
            until = history.moments[number + 1].recorded_at if number + 1 < len(history.moments) else datetime.now(UTC)
            span = max(int((until - moment.recorded_at) / timedelta(microseconds=1)), 1)
            instant = moment.recorded_at + timedelta(microseconds=chance.randrange(span))
            asked_as = instant.isoformat().replace("+00:00", "Z")
        which = chance.randrange(len(QUESTIONS))
        path, asked = QUESTIONS[which]
        answer = history.client.ok("GET", path, params=asked | {"as_of": asked_as})
        assert compared(answer) == compared(moment.answers[which]), (path, asked, asked_as)


def test_cursors_lead_through_the_list_as_it_was(history: History) -> None:
    moment = history.moments[40]
    as_of = f"position:{moment.position}"
    lengths = []
    for path, asked in (("/activities", {}), ("/activities/overdue", {}), ("/activities/search", {"q": "proposal"})):
        whole = history.client.ok("GET", path, params=asked | {"as_of": as_of, "per_page": 100})
        found: list[Json] = []
        page = history.client.ok("GET", path, params=asked | {"as_of": as_of, "per_page": 2})
        while True:
            found += page["data"]
            if (cursor := page["meta"]["next_cursor"]) is None:
                break
            page = history.client.ok("GET", path, params=asked | {"as_of": as_of, "per_page": 2, "cursor": cursor})
        assert found == whole["data"]
        assert len(found) == whole["meta"]["total"]
        lengths.append(len(found))
    assert max(lengths) > 4


def test_a_cursor_is_of_its_own_moment(history: History) -> None:
    asked = {"per_page": 1, "as_of": f"position:{history.moments[40].position}"}
    cursor = history.client.ok("GET", "/activities", params=asked)["meta"]["next_cursor"]
    for other in ({}, {"as_of": f"position:{history.moments[41].position}"}):
        reply = history.client.call("GET", "/activities", params={"per_page": 1, "cursor": cursor} | other)
        assert reply.status_code == 422
        assert "cursor" in reply.json()["errors"]
    reply = history.client.call("GET", "/activities", params=asked | {"cursor": "WyJub25zZW5zZSJd"})
    assert reply.status_code == 422


def ids(client: Client, path: str = "/activities", **asked: Any) -> list[str]:
    return [row["id"] for row in client.rows(path, **asked)]


def head(client: Client) -> str:
    return f"position:{client.recorded()}"


def test_a_word_said_for_a_moment_is_found_as_of_that_moment(client: Client) -> None:
    call = client.create(subject="Zebrafish")
    then = head(client)
    client.ok("PATCH", f"/activities/{call['id']}", json={"subject": "Something else"})
    assert ids(client, "/activities/search", q="zebrafish") == []
    for said in ("zebrafish", "zebra", "ebraf", "zebrafihs", "zebrafash"):
        assert ids(client, "/activities/search", q=said, as_of=then) == [call["id"]], said


def test_deleted_ones_were_there_and_later_ones_were_not(client: Client) -> None:
    first = client.create(subject="First")
    before = head(client)
    client.delete(first)
    second = client.create(subject="Second")
    assert ids(client) == [second["id"]]
    assert ids(client, as_of=before) == [first["id"]]
    assert ids(client, "/activities/search", q="first", as_of=before) == [first["id"]]
    assert ids(client, "/activities/search", q="second", as_of=before) == []
    assert ids(client, as_of="position:0") == []
    assert ids(client, as_of="2020-01-01T00:00:00Z") == []


def test_what_is_deleted_by_now_is_for_auditors_whenever_it_is_asked_about(client: Client, service: Service) -> None:
    gone = client.create(due_at="2021-01-01T00:00:00Z", subject="Gone")
    stays = client.create(due_at="2021-01-01T00:00:00Z", subject="Gone too, but not now")
    before = head(client)
    client.delete(gone)
    with service.client(client.organization, scopes=("activities:read",)) as clerk, service.client() as stranger:
        for path, asked in (("", {}), ("/overdue", {}), ("/search", {"q": "gone"})):
            asked = asked | {"as_of": before}
            assert sorted(ids(client, f"/activities{path}", **asked)) == sorted([gone["id"], stays["id"]])
            page = clerk.ok("GET", f"/activities{path}", params=asked)
            assert [row["id"] for row in page["data"]] == [stays["id"]]
            assert page["meta"]["total"] == 1
            assert ids(stranger, f"/activities{path}", **asked) == []


def test_related_records_had_the_names_they_had(client: Client) -> None:
    client.record(name="Old name")
    call = client.create()
    before = head(client)
    client.record(name="New name")
    assert client.rows(as_of=before)[0]["activityable"]["name"] == "Old name"
    assert client.rows()[0]["activityable"]["name"] == "New name"
    was = client.ok("GET", f"/activities/{call['id']}", params={"as_of": before})["data"]
    assert was["activityable"]["name"] == "Old name"


def test_what_is_overdue_is_judged_at_that_instant(client: Client) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    call = client.create(due_at=due.isoformat())
    before, after = ((due + timedelta(seconds=s)).isoformat().replace("+00:00", "Z") for s in (-0.5, 0.1))
    while datetime.now(UTC) < due + timedelta(seconds=0.2):
        time.sleep(0.05)
    client.patch(call, subject="Late")
    assert ids(client, "/activities/overdue", as_of=before) == []
    assert ids(client, "/activities/overdue", as_of=after) == [call["id"]]
    assert [row["is_overdue"] for row in client.rows(as_of=before)] == [False]
    assert [row["is_overdue"] for row in client.rows(as_of=after)] == [True]
    assert ids(client, status="overdue", as_of=before) == []
    assert ids(client, status="overdue", as_of=after) == [call["id"]]


def test_an_instant_to_come_is_answered_by_what_is_known_now(client: Client) -> None:
    call = client.create(due_at="2090-01-02T00:00:00Z")
    assert ids(client, "/activities/overdue", as_of="2090-01-05T00:00:00Z") == [call["id"]]
    [row] = client.rows("/activities/overdue", as_of="2090-01-05T00:00:00Z")
    assert row["days_overdue"] == 3


def test_the_same_moment_is_answered_the_same_while_things_go_on(client: Client) -> None:
    """What was folded for one page is kept for the next, and brought up to date with what happened meanwhile."""
    calls = [client.create(subject=f"Call {n}") for n in range(6)]
    before = head(client)
    told = client.ok("GET", "/activities", params={"as_of": before})
    for n, call in enumerate(calls):
        client.patch(call, subject=f"Changed {n}") if n % 2 else client.delete(call)
        client.create(subject="Later")
        assert client.ok("GET", "/activities", params={"as_of": before}) == told
        assert client.ok("GET", "/activities/search", params={"as_of": before, "q": "later"})["meta"]["total"] == 0
        assert client.ok("GET", "/activities/search", params={"as_of": before, "q": "cal"})["meta"]["total"] == 6


def test_a_call_logged_late_shows_from_when_it_was_made_and_from_when_it_was_known(client: Client) -> None:
    before = head(client)
    call = client.create(status="completed", completed_at="2025-12-20T16:00:00Z", subject="Logged late")
    day_after, day_before = "2025-12-21T00:00:00Z", "2025-12-19T00:00:00Z"

    assert ids(client, happened_at=day_after) == [call["id"]]
    assert ids(client, happened_at=day_before) == []
    assert ids(client, known_at=day_after) == []
    assert ids(client, happened_at=day_after, known_at=before) == []
    assert ids(client, happened_at=day_after, known_at=head(client)) == [call["id"]]
    assert ids(client, "/activities/search", q="logged", happened_at=day_after) == [call["id"]]

    path = f"/activities/{call['id']}"
    shown = client.ok("GET", path, params={"happened_at": day_after})["data"]
    assert (shown["status"], shown["completed_at"]) == ("completed", "2025-12-20T16:00:00Z")
    assert client.call("GET", path, params={"happened_at": day_before}).status_code == 404
    assert client.call("GET", path, params={"known_at": day_after}).status_code == 404
    assert client.call("GET", path, params={"happened_at": day_after, "known_at": before}).status_code == 404


def test_by_what_had_happened_it_was_done_before_anybody_knew(client: Client) -> None:
    call = client.create(due_at="2021-01-01T00:00:00Z")
    made = client.get(call)["created_at"]
    time.sleep(0.2)
    done = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    time.sleep(0.2)
    between = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    client.act(call, "complete", completed_at=done)

    assert [row["status"] for row in client.rows(happened_at=made)] == ["pending"]
    assert [row["status"] for row in client.rows(happened_at=between)] == ["completed"]
    assert [row["status"] for row in client.rows(known_at=between)] == ["pending"]
    assert ids(client, "/activities/overdue", known_at=between) == [call["id"]]
    assert ids(client, "/activities/overdue", happened_at=between) == []


@pytest.mark.parametrize("path", ["", "/overdue", "/search", "/follow-ups"])
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "3"}, "as_of"),
        ({"known_at": "position:-1"}, "known_at"),
        ({"happened_at": "position:3"}, "happened_at"),
        ({"as_of": "position:1", "known_at": "position:2"}, "known_at"),
    ],
    ids=str,
)
def test_nonsense_is_refused_by_name(client: Client, path: str, asked: dict[str, str], field: str) -> None:
    query = asked | ({"q": "call"} if path == "/search" else {})
    reply = client.call("GET", f"/activities{path}", params=query)
    assert reply.status_code == 422
    assert field in reply.json()["errors"]


def test_a_fact_that_cannot_be_read_leaves_its_activity_where_it_stood(client: Client) -> None:
    call, other = client.create(subject="Stands"), client.create(subject="Moves")
    client.patch(call, subject="Never read")
    unreadable = client.recorded()
    client.patch(call, subject="Nor this")
    client.patch(other, subject="Moved")
    with client.unreadable(unreadable):
        then = client.rows(as_of=f"position:{unreadable}")
    assert sorted(row["subject"] for row in then) == ["Moves", "Stands"]
