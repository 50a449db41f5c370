"""The audit feed tells the whole log: every fact once, in order, whoever stops and goes on again, and however."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from accounts import key_of
from events import STREAM, Message, messages
from service import A_CALL, SECRET, SURFACE, Client, Json, Service, database_copy, eventually

from api.http.tokens import DEFAULT_SCOPES, SCOPES, issue
from application.postgres.embedded import EmbeddedPostgres

FEED = "/audit/events"


@pytest.fixture(scope="module")
def service(server: EmbeddedPostgres, template: str) -> Iterator[Service]:
    """Of this module's own: its workers are killed. Heartbeats come quickly, and few streams may be open."""
    settled = {"ACTIVITIES_FEED_HEARTBEAT": "0.3", "ACTIVITIES_FEED_STREAMS": "3"}
    with database_copy(server, template) as dsn, Service(dsn, workers=2, **settled) as service:
        yield service


@contextmanager
def streaming(client: Client, after: int = 0, **headers: str) -> Iterator[Iterator[Message]]:
    url = client.service.url + SURFACE + FEED
    sent = {**client.http.headers, **STREAM, **headers}
    with httpx.stream("GET", url, params={"after": after}, headers=sent, timeout=10) as reply:
        assert reply.status_code == 200, reply.read()
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield messages(reply)


def entries(told: Iterator[Message]) -> Iterator[Json]:
    for message in told:
        if message.data and message.event == "message":
            entry = json.loads(message.data)
            assert message.id == str(entry["position"])
            yield entry


def first(told: Iterator[Message], count: int) -> list[Json]:
    found = entries(told)
    return [next(found) for _ in range(count)]


def test_pages_tell_every_fact_with_its_circumstances(client: Client) -> None:
    call = client.create(due_at="2030-01-01T00:00:00Z")
    client.act(call, "complete", completed_at="2025-12-20T16:00:00Z", outcome="Done")
    client.ok("PATCH", "/customers/c-1", {"notes": "At last"})

    told = client.ok("GET", FEED)

    made, created, completed, noted = told["data"]
    assert [entry["position"] for entry in told["data"]] == [1, 2, 3, 4]
    assert (made["kind"], made["id"], made["record_kind"]) == ("record", "c-1", "customer")
    assert (noted["kind"], noted["id"], noted["record_kind"]) == ("record", "c-1", "customer")
    assert (created["kind"], created["id"], created["record_kind"]) == ("activity", call["id"], None)
    assert created["stream_id"] == completed["stream_id"]
    assert [created["version"], completed["version"]] == [1, 2]
    assert completed["type"] == "activity.completed.v1"
    assert completed["happened_at"] == "2025-12-20T16:00:00Z" < completed["recorded_at"]
    assert (completed["data"]["completed_at"], completed["data"]["outcome"]) == ("2025-12-20T16:00:00Z", "Done")
    assert noted["data"]["fields"] == {"notes": "At last"}
    assert {entry["actor_id"] for entry in told["data"]} == {client.user}
    assert len({entry["command_id"] for entry in told["data"]}) == 4
    assert told["meta"] == {"limit": 100, "position": 4, "head": 4, "next_cursor": None}


def test_pages_go_on_where_the_last_one_ended(client: Client) -> None:
    for _ in range(6):
        client.create()
    found, cursor = [], "0"
    while cursor is not None:
        page = client.ok("GET", FEED, params={"cursor": cursor, "limit": 3})
        found += [entry["position"] for entry in page["data"]]
        cursor = page["meta"]["next_cursor"]
    assert found == [1, 2, 3, 4, 5, 6, 7]
    ended = client.ok("GET", FEED, params={"after": 7})
    assert (ended["data"], ended["meta"]["position"], ended["meta"]["next_cursor"]) == ([], 7, None)


def test_what_the_log_holds_is_what_is_told(client: Client) -> None:
    call = client.create(billable_rate=99.5, is_billable=True, participants=["u-1"], custom_fields={"a": [1, True]})
    client.patch(call, description="ümlaut", tags=["x"])
    told = client.ok("GET", FEED)["data"]
    recorded = client._from_database(
        "select topic, convert_from(state, 'UTF8') from activities.events where organization_id = %s order by position"
    )
    assert [entry["type"] for entry in told] == [topic for topic, _ in recorded]
    created, updated = (entry["data"] for entry in told[-2:])
    assert (created["subject"], created["custom_fields"]) == (call["subject"], {"a": [1, True]})
    assert (created["billable_rate"], created["participants"]) == ("99.5", [{"kind": "user", "id": "u-1"}])
    assert (updated["description"], updated["tags"]) == ("ümlaut", ["x"])
    for entry, (_, said) in zip(told, recorded, strict=True):  # whatever stands in plain is told as it stands
        plain = {name: value for name, value in json.loads(said).items() if name not in ("sealed", "participants")}
        assert entry["data"].items() >= {name: value for name, value in plain.items() if name != "fields"}.items()


def test_what_api_keys_are_recognised_by_is_not_told(client: Client, service: Service) -> None:
    with service.client(client.organization, "administrator", scopes=SCOPES) as administrator:
        key = key_of(client)
        administrator.ok("DELETE", f"/api-keys/{key.split('_')[1]}")
        stored = client._from_database("select secret_hmac from activities.api_keys where organization_id = %s")[0][0]
        page = client.ok("GET", FEED)
        with streaming(client) as told:
            streamed = first(told, 3)
    assert page["data"] == streamed
    assert [entry["kind"] for entry in streamed] == ["record", "api_key", "api_key"]
    assert streamed[1]["id"] == key.split("_")[1]
    assert "secret_hmac" not in json.dumps(page)
    assert stored not in json.dumps(page)


def test_it_is_for_auditors_of_the_organisation(client: Client, service: Service) -> None:
    client.create(subject="A secret of ours")
    with service.client(client.organization, scopes=("activities:read",)) as clerk:
        assert clerk.call("GET", FEED).status_code == 403
        assert clerk.call("GET", FEED, headers=STREAM).status_code == 403
    with service.client() as stranger:
        assert stranger.ok("GET", FEED)["data"] == []
        stranger.record()
        with streaming(stranger) as told:
            assert first(told, 1)[0]["position"] == 1


@pytest.mark.parametrize(
    "asked",
    [{"after": "-1"}, {"after": "x"}, {"limit": "0"}, {"limit": "1001"}, {"after": "1", "cursor": "1"}, {"page": "1"}],
    ids=str,
)
def test_nonsense_is_refused_by_name(client: Client, asked: dict[str, str]) -> None:
    reply = client.call("GET", FEED, params=asked)
    assert reply.status_code == 422
    assert set(asked) & set(reply.json()["errors"])
    reply = client.call("GET", FEED, headers=STREAM | {"Last-Event-ID": "abc"})
    assert reply.status_code == 422
    assert "last-event-id" in reply.json()["errors"]


def test_a_stream_goes_on_as_things_are_recorded(client: Client) -> None:
    with streaming(client) as told:
        assert first(told, 1)[0]["id"] == "c-1"
        for _ in range(3):
            began = time.monotonic()
            call = client.create()
            assert first(told, 1)[0]["id"] == call["id"]
            assert time.monotonic() - began < 5


def test_the_last_event_id_says_where_to_go_on(client: Client) -> None:
    for _ in range(4):
        client.create()
    with streaming(client, 0, **{"Last-Event-ID": "3"}) as told:
        assert [entry["position"] for entry in first(told, 2)] == [4, 5]


def test_it_says_when_to_come_back_and_that_it_is_alive(client: Client) -> None:
    with streaming(client, 1) as told:
        assert next(told).retry is not None
        assert next(told).comments == next(told).comments == ["still here"]


def test_a_stream_ends_with_its_credentials(client: Client, service: Service) -> None:
    soon = issue(SECRET, organization=client.organization, user="u-9", scopes=DEFAULT_SCOPES, ttl=-3, now=time.time())
    with streaming(client, 1, authorization=f"Bearer {soon}") as told:  # leeway ends it in two seconds
        *_, last = told
    assert (last.event, last.data) == ("end", '{"reason":"credentials"}')

    key = key_of(client, *SCOPES)
    with (
        service.client(client.organization, "administrator", scopes=("admin",)) as administrator,
        streaming(client, 2, **{"X-API-Key": key}) as told,
    ):
        assert next(told).retry is not None
        administrator.ok("DELETE", f"/api-keys/{key.split('_')[1]}")
        *_, last = told
    assert last.event == "end"


def test_one_client_may_have_so_many_streams_on_a_worker_and_gets_its_places_back(client: Client) -> None:
    def opened() -> httpx.Response:
        return client.http.send(client.http.build_request("GET", FEED, headers=STREAM), stream=True)

    replies = [opened() for _ in range(7)]  # three on each of two workers, and one
    refused = [reply for reply in replies if reply.status_code != 200]
    assert refused
    for reply in refused:
        assert reply.status_code == 429
        assert "At most 3 open streams" in json.loads(reply.read())["detail"]
        assert int(reply.headers["retry-after"]) > 0
    for reply in replies:
        reply.close()

    def there_is_room() -> bool:
        with client.http.stream("GET", FEED, headers=STREAM) as reply:
            return reply.status_code == 200

    for _ in range(4):
        eventually(there_is_room, 10, "places are given back")


def test_a_worker_told_to_stop_lets_its_streams_end_and_ends_in_time(client: Client, service: Service) -> None:
    ended: list[int] = []

    def follow() -> None:
        with streaming(client) as told:
            ready.release()
            ended.append(sum(1 for _ in entries(told)))  # a stream that is cut off raises instead

    ready = threading.Semaphore(0)
    followers = [threading.Thread(target=follow) for _ in range(3)]
    for follower in followers:
        follower.start()
        ready.acquire()
    took = [service.stop_worker(number) for number in (1, 2)]
    for follower in followers:
        follower.join(10)
    assert max(took) < 8
    assert ended == [1, 1, 1]
    service.await_ready()


class Writers:
    """Threads that create activities, each until it is answered, for as long as the block lasts."""

    def __init__(self, client: Client, count: int = 4) -> None:
        self._client = client
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(count)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, n: int) -> None:
        url, sent = self._client.service.url + SURFACE + "/activities", dict(self._client.http.headers)
        for count in range(10**6):
            if self._stop.is_set():
                return
            try:
                httpx.post(url, json=A_CALL, headers=sent | {"Idempotency-Key": f"{n}-{count}"}, timeout=10)
            except httpx.HTTPError:
                time.sleep(0.05)


def test_through_killed_workers_nothing_is_lost_and_nothing_comes_twice(client: Client, service: Service) -> None:
    followed: list[int] = []
    done = threading.Event()

    def follow() -> None:
        while not done.is_set():
            try:
                with streaming(client, 0, **{"Last-Event-ID": str(followed[-1] if followed else 0)}) as told:
                    for entry in entries(told):
                        followed.append(entry["position"])
                        if done.is_set():
                            return
            except (httpx.HTTPError, AssertionError):
                time.sleep(0.05)  # the worker is gone; another one, or its successor, is asked

    follower = threading.Thread(target=follow)
    with Writers(client):
        follower.start()
        for round_ in range(4):
            seen = len(followed)
            eventually(lambda seen=seen: len(followed) > seen + 20, 30, "the feed goes on")  # type: ignore[misc]
            service.kill_worker(1 + round_ % 2)
            service.await_ready()
    head = client.recorded()
    eventually(lambda: bool(followed) and followed[-1] == head, 30, "the feed reaches the end")
    done.set()
    client.create()
    follower.join(10)
    assert followed[:head] == list(range(1, head + 1))


FOLLOWER = """
import sys, httpx
url, token, after = sys.argv[1:]
headers = {"Authorization": token, "Accept": "text/event-stream", "Last-Event-ID": after}
with httpx.stream("GET", url, headers=headers, timeout=20) as reply:
    for line in reply.iter_lines():
        if line.startswith("id:"):
            print(line[3:].strip(), flush=True)
"""


def test_a_killed_client_goes_on_after_the_last_it_wrote_down(client: Client, tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.touch()

    def noted() -> list[int]:
        return [int(line) for line in book.read_text().split("\n")[:-1] if line]

    def follow() -> subprocess.Popen[bytes]:
        url = client.service.url + SURFACE + FEED
        after = str((noted() or [0])[-1])
        with book.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-c", FOLLOWER, url, client.http.headers["authorization"], after], stdout=out
            )

    with Writers(client, 2):
        for _ in range(5):
            before = len(noted())
            process = follow()
            try:
                eventually(lambda before=before: len(noted()) > before + 5, 30, "the feed goes on")  # type: ignore[misc]
            finally:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
    head = client.recorded()
    process = follow()
    try:
        eventually(lambda: noted()[-1] == head, 30, "the feed reaches the end")
    finally:
        process.kill()
        process.wait()
    assert noted() == list(range(1, head + 1))
