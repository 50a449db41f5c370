"""Many at once: versions and ETags, retries that happen once, races with one winner, and prompt answers."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import psycopg
import pytest
from service import A_CALL, Client, Json, Service


@pytest.fixture
def anybody(service: Service, client: Client) -> Iterator[Client]:
    """The same user, on a new connection for each request: any worker may answer."""
    with service.client(client.organization, client.user, keep_alive=False) as anybody:
        yield anybody


def at_once(*requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Their answers, all sent at the same moment."""
    barrier = Barrier(len(requests))

    def one(request: Callable[[], httpx.Response]) -> httpx.Response:
        barrier.wait(10)
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


def of(activity: Json, action: str = "") -> str:
    return f"/activities/{activity['id']}{action}"


def statuses(replies: list[httpx.Response]) -> list[int]:
    return sorted(reply.status_code for reply in replies)


class TestVersions:
    def test_an_etag_comes_with_every_answer_about_one_thing(self, client: Client) -> None:
        made = client.call("POST", "/activities", dict(A_CALL))
        activity = made.json()["data"]
        changed = client.call("PATCH", of(activity), {"subject": "Another"})
        shown = client.call("GET", of(activity))
        assert [reply.json()["data"]["version"] for reply in (made, changed, shown)] == [1, 2, 2]
        assert made.headers["etag"].startswith('"1.')
        assert changed.headers["etag"].startswith('"2.') and shown.headers["etag"].startswith('"2.')
        for method, json in (("PUT", {"name": "Acme"}), ("PATCH", {"notes": "x"}), ("GET", None)):
            assert client.call(method, "/customers/c-1", json).headers["etag"]

    @pytest.mark.parametrize(
        ("method", "action", "body"),
        [
            ("PATCH", "", {"subject": "Another"}),
            ("PUT", "", {"subject": "Another"}),
            ("POST", "/complete", {}),
            ("POST", "/cancel", {}),
            ("POST", "/reschedule", {"new_due_at": "2030-01-01T10:00:00Z"}),
            ("POST", "/start", {}),
            ("POST", "/defer", {}),
            ("POST", "/wait", {}),
            ("DELETE", "", None),
        ],
    )
    def test_a_command_upon_an_old_version_is_refused_and_upon_the_present_one_is_not(
        self, client: Client, method: str, action: str, body: Any
    ) -> None:
        activity = client.create()
        old = client.call("GET", of(activity)).headers["etag"]
        client.patch(activity, description="in between")
        now = client.call("GET", of(activity)).headers["etag"]
        before = client.recorded()
        stale = client.call(method, of(activity, action), body, headers={"If-Match": old})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
        assert client.recorded() == before
        fresh = client.call(method, of(activity, action), body, headers={"If-Match": now})
        assert fresh.status_code == 200
        assert client.recorded() == before + 1

    def test_the_etag_of_a_command_is_as_good_as_that_of_a_read(self, client: Client) -> None:
        made = client.call("POST", "/activities", dict(A_CALL))
        tag = made.headers["etag"]
        changed = client.call("PATCH", of(made.json()["data"]), {"subject": "A"}, headers={"If-Match": tag})
        assert changed.status_code == 200

    def test_any_version_will_do_for_a_star(self, client: Client) -> None:
        activity = client.create()
        assert client.call("POST", of(activity, "/start"), {}, headers={"If-Match": "*"}).status_code == 200

    def test_of_many_upon_the_same_version_one_wins(self, client: Client, anybody: Client) -> None:
        activity = client.create()
        tag = client.call("GET", of(activity)).headers["etag"]

        def change(n: int) -> httpx.Response:
            return anybody.call("PATCH", of(activity), {"subject": f"By {n}"}, headers={"If-Match": tag})

        replies = at_once(*[lambda n=n: change(n) for n in range(12)])
        assert statuses(replies) == [200, *[412] * 11]
        [won] = [reply.json()["data"] for reply in replies if reply.status_code == 200]
        assert client.get(activity)["subject"] == won["subject"]
        assert client.get(activity)["version"] == 2

    def test_without_a_version_changes_merge_by_field(self, client: Client, anybody: Client) -> None:
        activity = client.create()
        fields = {
            "subject": "S",
            "description": "D",
            "location": "L",
            "priority": "high",
            "duration_minutes": 7,
        }
        replies = at_once(
            *[
                lambda name=name, value=value: anybody.call("PATCH", of(activity), {name: value})
                for name, value in fields.items()
            ]
        )
        assert statuses(replies) == [200] * len(fields)
        assert client.get(activity).items() >= fields.items()
        assert client.get(activity)["version"] == 1 + len(fields)

    def test_who_has_it_already_is_told_so(self, client: Client) -> None:
        activity = client.create()
        tag = client.call("GET", of(activity)).headers["etag"]
        for known in (tag, f'"x", {tag}', "*"):
            same = client.call("GET", of(activity), headers={"If-None-Match": known})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        client.record("customers", "c-1", name="Another name")
        renamed = client.call("GET", of(activity), headers={"If-None-Match": tag})
        assert renamed.status_code == 200  # the version is the same, what is shown is not
        assert renamed.json()["data"]["activityable"]["name"] == "Another name"


class TestRetries:
    def test_a_retry_gets_the_first_answer_and_does_nothing(self, client: Client, anybody: Client) -> None:
        key = {"Idempotency-Key": "k-1"}
        first = client.call("POST", "/activities", dict(A_CALL), headers=key)
        recorded = client.recorded()
        again = anybody.call("POST", "/activities", dict(A_CALL), headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert client.recorded() == recorded

    @pytest.mark.parametrize(
        ("method", "action", "body"),
        [
            ("PATCH", "", {"subject": "Another"}),
            ("POST", "/complete", {"outcome": "done"}),
            ("POST", "/cancel", {"reschedule": True, "reschedule_date": "2030-01-01T10:00:00Z"}),
            ("POST", "/reschedule", {"new_due_at": "2030-01-01T10:00:00Z"}),
            ("POST", "/reschedule", {"new_due_at": "2025-12-20T14:00:00Z"}),  # where it is already
            ("PATCH", "", {"subject": A_CALL["subject"]}),  # what it is already
            ("POST", "/start", None),
            ("DELETE", "", None),
        ],
    )
    def test_every_command_can_be_retried(self, client: Client, method: str, action: str, body: Any) -> None:
        activity = client.create(due_at="2025-12-20T14:00:00Z")
        key = {"Idempotency-Key": "k-1"}
        first = client.call(method, of(activity, action), body, headers=key)
        recorded = client.recorded()
        again = client.call(method, of(activity, action), body, headers=key)
        assert (first.status_code, again.status_code) == (200, 200), again.text
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
        assert client.recorded() == recorded

    def test_records_can_be_retried_too(self, client: Client) -> None:
        key = {"Idempotency-Key": "k-1"}
        first = client.call("POST", "/leads", {"name": "Kim"}, headers=key)
        again = client.call("POST", "/leads", {"name": "Kim"}, headers=key)
        assert first.json()["data"]["id"] == again.json()["data"]["id"]
        assert len(client.rows("/leads")) == 1

    def test_a_retry_of_what_changed_nothing_changes_nothing_later_either(self, client: Client) -> None:
        activity = client.create(due_at="2025-12-20T14:00:00Z")
        key = {"Idempotency-Key": "k-1"}
        to_where_it_is = {"new_due_at": "2025-12-20T14:00:00Z"}
        client.ok("POST", of(activity, "/reschedule"), to_where_it_is, headers=key)
        client.act(activity, "reschedule", new_due_at="2030-01-01T10:00:00Z")
        client.ok("POST", of(activity, "/reschedule"), to_where_it_is, headers=key)
        assert client.get(activity)["due_at"] == "2030-01-01T10:00:00Z"

    def test_a_key_is_for_one_body_and_one_route(self, client: Client) -> None:
        key = {"Idempotency-Key": "k-1"}
        activity = client.ok("POST", "/activities", dict(A_CALL), headers=key)["data"]
        recorded = client.recorded()
        for method, path, body in (
            ("POST", "/activities", {**A_CALL, "subject": "Another"}),
            ("POST", "/leads", dict(A_CALL)),
            ("POST", of(activity, "/start"), None),
        ):
            other = client.call(method, path, body, headers=key)
            if path == "/leads":
                assert other.status_code == 422
            else:
                assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert client.recorded() == recorded

    def test_a_key_belongs_to_one_user_of_one_organisation(self, service: Service, client: Client) -> None:
        key = {"Idempotency-Key": "k-1"}
        mine = client.ok("POST", "/activities", dict(A_CALL), headers=key)["data"]
        with service.client(client.organization, "u-2") as colleague, service.client() as stranger:
            stranger.record()
            theirs = [who.ok("POST", "/activities", dict(A_CALL), headers=key)["data"] for who in (colleague, stranger)]
        assert len({mine["id"], *(one["id"] for one in theirs)}) == 3

    def test_a_request_that_was_refused_does_not_use_its_key_up(self, client: Client) -> None:
        key = {"Idempotency-Key": "k-1"}
        activity = client.create()
        assert client.call("POST", of(activity, "/resume"), {}, headers=key).status_code == 409
        client.act(activity, "wait")
        assert client.call("POST", of(activity, "/resume"), {}, headers=key).status_code == 200
        assert client.call("POST", "/leads", {}, headers={"Idempotency-Key": "k-2"}).status_code == 422
        assert client.call("POST", "/leads", {"name": "Kim"}, headers={"Idempotency-Key": "k-2"}).status_code == 201

    def test_a_retry_is_recognised_before_its_version_is_looked_at(self, client: Client) -> None:
        activity = client.create()
        tag = client.call("GET", of(activity)).headers["etag"]
        headers = {"Idempotency-Key": "k-1", "If-Match": tag}
        first = client.call("POST", of(activity, "/start"), {}, headers=headers)
        again = client.call("POST", of(activity, "/start"), {}, headers=headers)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.content == first.content

    def test_fifty_at_once_happen_once(self, client: Client, anybody: Client) -> None:
        before = client.recorded()
        key = {"Idempotency-Key": "k-1"}
        replies = at_once(*[lambda: anybody.call("POST", "/activities", dict(A_CALL), headers=key)] * 50)
        assert statuses(replies) == [201] * 50
        assert len({reply.content for reply in replies}) == 1
        assert sum("idempotent-replayed" in reply.headers for reply in replies) == 49
        assert client.recorded() == before + 1
        assert len(client.rows()) == 1


class TestRaces:
    def test_of_complete_and_cancel_one_wins_and_the_other_is_told_why_not(
        self, client: Client, anybody: Client
    ) -> None:
        won: list[str] = []
        for _ in range(100):
            activity = client.create()
            done, given_up = at_once(
                lambda a=activity: anybody.call("POST", of(a, "/complete"), {"outcome": "done"}),  # type: ignore[misc]
                lambda a=activity: anybody.call("POST", of(a, "/cancel"), {"reason": "no"}),  # type: ignore[misc]
            )
            assert statuses([done, given_up]) == [200, 409]
            winner, loser = sorted((done, given_up), key=lambda reply: reply.status_code)
            now = client.get(activity)
            assert now["status"] == winner.json()["data"]["status"]
            assert now["version"] == 2
            assert loser.json()["code"] == "action_not_allowed"
            assert loser.json()["allowed_actions"] == now["allowed_actions"]
            won.append(now["status"])
        happened = [name for name, _ in client.log()]
        assert happened.count("activity.completed.v1") == won.count("completed")
        assert happened.count("activity.cancelled.v1") == won.count("cancelled")

    def test_everything_written_at_once_is_recorded_once_and_in_one_order(
        self, client: Client, anybody: Client
    ) -> None:
        before = client.recorded()
        replies = at_once(
            *[lambda n=n: anybody.call("POST", "/activities", {**A_CALL, "subject": f"No {n}"}) for n in range(60)]
        )
        assert statuses(replies) == [201] * 60
        assert client.recorded() == before + 60
        recorded = [said["subject"] for name, said in client.log() if name == "activity.created.v1"]
        assert sorted(recorded) == sorted(f"No {n}" for n in range(60))
        times = [said["at"] for _, said in client.log()]
        assert times == sorted(times)

    def test_organisations_do_not_wait_for_each_other(self, service: Service, client: Client) -> None:
        """While one organisation's log is locked, another's commands are served."""
        with service.client() as other, psycopg.connect(service.dsn) as connection:
            other.record()
            connection.execute(
                "select from activities.heads where organization_id = %s for update", (client.organization,)
            )
            began = time.monotonic()
            other.create()
            assert time.monotonic() - began < 2
            connection.rollback()
        client.create()


def test_answers_on_a_kept_alive_connection_come_at_once(client: Client) -> None:
    """None waits for the client's delayed acknowledgement, which takes 40 ms."""

    def took() -> float:
        began = time.perf_counter()
        client.ok("GET", "/activity-types")
        return time.perf_counter() - began

    assert min(took() for _ in range(20)) < 0.03
