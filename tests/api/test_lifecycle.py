"""The life of an activity over HTTP: what each action leads to and says, what is refused, what is shown of it."""

import json
from typing import Any

import pytest
from lifecycle_table import LEADS_TO
from service import A_CALL, Client, Json, Service

DUE, LATER = "2025-12-20T14:00:00Z", "2030-01-01T10:00:00Z"

REQUESTS: dict[str, tuple[str, str, Any, int, str]] = {
    "start": ("POST", "/start", None, 200, "Activity started successfully"),
    "defer": ("POST", "/defer", {"reason": "not now"}, 200, "Activity deferred successfully"),
    "wait": ("POST", "/wait", {}, 200, "Activity is waiting"),
    "resume": ("POST", "/resume", None, 200, "Activity resumed successfully"),
    "reschedule": ("POST", "/reschedule", {"new_due_at": LATER}, 200, "Activity rescheduled successfully"),
    "complete": ("POST", "/complete", {"outcome": "done"}, 200, "Activity completed successfully"),
    "cancel": ("POST", "/cancel", {"reason": "no"}, 200, "Activity cancelled successfully"),
    "update": ("PATCH", "", {"description": "a note"}, 200, "Activity updated successfully"),
    "recreate": ("POST", "/recreate", None, 201, "Activity recreated successfully"),
    "delete": ("DELETE", "", None, 200, "Activity deleted successfully"),
    "restore": ("POST", "/restore", None, 200, "Activity restored successfully"),
}


@pytest.mark.parametrize("whence", LEADS_TO)
def test_what_is_allowed_leads_there_and_what_is_not_is_refused(client: Client, whence: str) -> None:
    for action, (method, path, body, status, message) in REQUESTS.items():
        activity = client.create_in(whence, due_at=DUE)
        before = client.recorded()
        reply = client.call(method, f"/activities/{activity['id']}{path}", body)
        if action in LEADS_TO[whence]:
            assert (reply.status_code, reply.json()["message"]) == (status, message), (whence, action)
            assert reply.json()["data"]["status"] == LEADS_TO[whence][action]
            assert client.recorded() == before + 1
        else:
            assert reply.status_code == (404 if whence == "deleted" else 409), (whence, action)
            assert client.recorded() == before
            if whence != "deleted":
                assert set(reply.json()["allowed_actions"]) == set(LEADS_TO[whence])
                assert reply.json()["code"] == "action_not_allowed"


@pytest.mark.parametrize("whence", [status for status in LEADS_TO if status != "deleted"])
def test_an_activity_says_what_may_be_done_with_it(client: Client, whence: str) -> None:
    activity = client.create_in(whence)
    assert set(activity["allowed_actions"]) == set(LEADS_TO[whence])
    assert client.get(activity)["allowed_actions"] == activity["allowed_actions"]
    assert client.rows()[0]["allowed_actions"] == activity["allowed_actions"]


def test_once_begun_it_resumes_in_progress(client: Client) -> None:
    activity = client.act(client.create(status="in_progress"), "wait")
    assert client.act(activity, "resume")["status"] == "in_progress"


@pytest.mark.parametrize("action", ["start", "defer", "wait", "complete", "cancel"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"  "])
def test_an_action_that_needs_no_words_takes_none_or_an_empty_object(
    client: Client, action: str, content: bytes | None
) -> None:
    activity = client.create()
    headers = {"Content-Type": "application/json"} if content else {}
    reply = client.call("POST", f"/activities/{activity['id']}/{action}", content=content, headers=headers)
    assert reply.status_code == 200


class TestWhatIsShown:
    def test_a_command_is_answered_as_a_read_of_it_is(self, client: Client) -> None:
        client.record("contacts", "p-1", email="kim@example.com", phone="+1-555-0200")
        client.record("users", "u-1", email="me@example.com")
        made = client.create(
            contact_id="p-1",
            due_at=DUE,
            reminder_at="2025-12-20T13:45:00Z",
            billable_rate=10.5,
            is_billable=True,
            tags=["a"],
            custom_fields={"b": [1, 2.5, {"c": None}]},
            participants=["u-2", {"kind": "external", "email": "x@example.com"}],
        )

        def agrees_with_a_read(told: Json) -> None:
            shown = client.get(told)
            assert shown.pop("created_by").items() <= told.pop("created_by").items()
            assert shown == told

        agrees_with_a_read(dict(made))
        agrees_with_a_read(client.patch(made, subject="Another"))
        agrees_with_a_read(client.act(made, "complete", duration_minutes=42))

    def test_no_name_occurs_twice(self, client: Client) -> None:
        def once_each(pairs: list[tuple[str, Any]]) -> Json:
            assert len(dict(pairs)) == len(pairs), [name for name, _ in pairs]
            return dict(pairs)

        activity = client.create(due_at=DUE)
        for method, path, body in (
            ("GET", f"/activities/{activity['id']}", None),
            ("GET", "/activities", None),
            ("GET", "/activities/overdue", None),
            ("GET", "/activities/search?q=call", None),
            ("PATCH", f"/activities/{activity['id']}", {"subject": "Another"}),
            ("POST", f"/activities/{activity['id']}/complete", {"follow_up_required": True}),
            ("GET", "/activities/follow-ups", None),
            ("GET", f"/activities/{activity['id']}/history", None),
            ("GET", "/customers/c-1", None),
        ):
            reply = client.call(method, path, body)
            assert json.loads(reply.content, object_pairs_hook=once_each)["success"] is True

    def test_times_are_utc_with_a_z_and_a_fraction_only_where_there_is_one(self, client: Client) -> None:
        activity = client.create(due_at="2025-12-20T15:30:00+01:30", reminder_at="2025-12-20T13:45:00.25Z")
        assert activity["due_at"] == "2025-12-20T14:00:00Z"
        assert activity["reminder_at"] == "2025-12-20T13:45:00.250000Z"
        assert activity["created_at"].endswith("Z")
        assert client.get(activity)["due_at"] == "2025-12-20T14:00:00Z"

    def test_ids_are_ulids_and_understood_in_either_case(self, client: Client) -> None:
        activity = client.create()
        assert len(activity["id"]) == 26
        assert activity["id"] == activity["id"].upper()
        assert client.get(activity["id"].lower())["id"] == activity["id"]
        assert client.act(activity["id"].lower(), "start")["id"] == activity["id"]

    def test_money_is_a_number_and_the_amount_is_frozen_at_completion(self, client: Client) -> None:
        activity = client.create(is_billable=True, billable_rate=150.00, duration_minutes=30)
        assert (activity["billable_rate"], activity["billable_amount"], activity["currency"]) == (
            150.0,
            None,
            "USD",
        )
        done = client.act(activity, "complete", duration_minutes=42)
        assert done["billable_amount"] == 105.0
        assert client.get(activity)["billable_amount"] == 105.0

    def test_words_are_read_in_any_case_and_written_small(self, client: Client) -> None:
        activity = client.create(type="MEETING", priority="High", status="IN_PROGRESS", activityable_type="Customer")
        assert (activity["type"], activity["priority"], activity["status"]) == (
            "meeting",
            "high",
            "in_progress",
        )
        assert [row["id"] for row in client.rows(status="In_Progress", type="MEETING")] == [activity["id"]]

    def test_who_has_no_record_has_no_name(self, client: Client) -> None:
        activity = client.create()
        assert activity["assigned_user"] == {"id": "u-1", "name": None, "email": None}
        assert activity["contact"] is None
        assert client.get(activity)["assigned_user"] == activity["assigned_user"]

    def test_the_types_there_are(self, client: Client) -> None:
        types = client.rows("/activity-types")
        assert len(types) == 21
        assert types[0] == {
            "value": "call",
            "label": "Call",
            "description": "Phone conversations",
            "use_cases": ["Sales calls", "check-ins", "support calls"],
        }


class TestWarnings:
    def test_say_that_the_outcome_is_missing(self, client: Client) -> None:
        def warned(body: Json) -> list[str]:
            return [warning["code"] for warning in body.get("warnings", [])]

        activity = client.create()
        assert warned(client.ok("POST", f"/activities/{activity['id']}/complete", {})) == ["outcome_missing"]
        other = client.create()
        assert warned(client.ok("POST", f"/activities/{other['id']}/complete", {"outcome": "done"})) == []
        assert warned(client.ok("POST", "/activities", {**A_CALL, "status": "completed"})) == ["outcome_missing"]
        assert warned(client.ok("PATCH", f"/activities/{client.create()['id']}", {"subject": "Another"})) == []


class TestSuccessors:
    def test_are_made_in_the_transaction_that_cancels(self, client: Client) -> None:
        activity = client.create(due_at=DUE, reminder_at="2025-12-20T13:45:00Z", tags=["a"])
        cancelled = client.act(activity, "cancel", reason="Moved", reschedule=True, reschedule_date=LATER)
        assert (cancelled["status"], cancelled["cancellation_reason"]) == ("cancelled", "Moved")
        successor = client.get(cancelled["successor_id"])
        assert (successor["due_at"], successor["reminder_at"]) == (LATER, "2030-01-01T09:45:00Z")
        assert (successor["predecessor_id"], successor["status"]) == (activity["id"], "pending")
        assert successor["tags"] == ["a"]
        assert [name for name, _ in client.log()][-2:] == ["activity.cancelled.v1", "activity.created.v1"]

    def test_are_not_made_where_cancelling_is_refused(self, client: Client) -> None:
        activity = client.create_in("completed")
        before = client.recorded()
        body = {"reschedule": True, "reschedule_date": LATER}
        assert client.call("POST", f"/activities/{activity['id']}/cancel", body).status_code == 409
        assert client.recorded() == before

    def test_recreations_answer_201_and_are_otherwise_where_asked(self, client: Client) -> None:
        cancelled = client.create_in("cancelled", due_at=DUE, tags=["a"])
        reply = client.call("POST", f"/activities/{cancelled['id']}/recreate", {"subject": "Again", "due_at": LATER})
        again = reply.json()["data"]
        assert reply.status_code == 201
        assert (again["subject"], again["due_at"], again["tags"]) == ("Again", LATER, ["a"])
        assert again["recreated_from_id"] == cancelled["id"] != again["id"]
        assert client.get(cancelled)["status"] == "cancelled"
        unknown = {"activityable_id": "c-404"}
        assert client.call("POST", f"/activities/{cancelled['id']}/recreate", unknown).status_code == 422


class TestDeleted:
    def test_an_activity_is_gone_everywhere_and_comes_back_as_it_was(self, client: Client) -> None:
        def seen() -> list[bool]:
            return [
                client.call("GET", f"/activities/{activity['id']}").status_code == 200,
                *(any(row["id"] == activity["id"] for row in client.rows(path, **asked)) for path, asked in LISTS),
            ]

        activity = client.create(subject="Findable", due_at=DUE)
        assert seen() == [True] * 4
        client.delete(activity)
        assert seen() == [False] * 4
        assert client.call("DELETE", f"/activities/{activity['id']}").status_code == 404
        restored = client.act(activity, "restore")
        assert seen() == [True] * 4
        unlike = {"version", "updated_at", "created_by"}
        assert {k: v for k, v in restored.items() if k not in unlike} == {
            k: v for k, v in activity.items() if k not in unlike
        }

    def test_an_activity_owes_no_follow_up(self, client: Client) -> None:
        activity = client.act(client.create(), "complete", follow_up_required=True)
        assert len(client.rows("/activities/follow-ups")) == 1
        client.delete(activity)
        assert client.rows("/activities/follow-ups") == []
        client.act(activity, "restore")
        assert len(client.rows("/activities/follow-ups")) == 1

    def test_an_activity_cannot_be_followed_up(self, client: Client) -> None:
        activity = client.create_in("deleted")
        refused = client.call("POST", "/activities", {**A_CALL, "follow_up_of_id": activity["id"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "related_entity_not_found")


LISTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/activities", {}),
    ("/activities/search", {"q": "findable"}),
    ("/activities/overdue", {}),
)


class TestFollowUps:
    def owed(self, client: Client, **asked: str) -> list[tuple[str, str | None]]:
        rows = client.rows("/activities/follow-ups", **asked)
        return [(row["subject"], row["follow_up"]["due_on"]) for row in rows]

    def met(self, client: Client, subject: str, customer: str, **said: Any) -> Json:
        """A meeting with a customer of its own that was completed."""
        client.record("customers", customer)
        made = client.create(subject=subject, activityable_id=customer)
        return client.act(made, "complete", outcome="done", **said)

    def test_are_open_from_completion_oldest_first_and_those_without_a_date_last(self, client: Client) -> None:
        client.create(subject="Only planned", follow_up_date="2025-01-01")
        self.met(client, "No date", "c-2", follow_up_required=True)
        self.met(client, "Second", "c-3", follow_up_date="2026-02-01")
        self.met(client, "First", "c-4", follow_up_date="2026-01-01")
        self.met(client, "Nothing owed", "c-5")
        assert self.owed(client) == [("First", "2026-01-01"), ("Second", "2026-02-01"), ("No date", None)]

    def test_are_satisfied_by_any_later_activity_on_the_same_record(self, client: Client) -> None:
        client.record("customers", "c-2")
        client.create(subject="Before", activityable_id="c-2")
        meeting = self.met(client, "Meeting", "c-2", follow_up_date="2026-01-01")
        client.create(subject="Elsewhere")
        assert self.owed(client) == [("Meeting", "2026-01-01")]
        later = client.create(subject="Later", activityable_id="c-2")
        assert self.owed(client) == []
        [kept] = client.rows("/activities/follow-ups", state="satisfied")
        assert kept["id"] == meeting["id"]
        assert kept["follow_up"] == {
            "due_on": "2026-01-01",
            "state": "satisfied",
            "satisfied_by_id": later["id"],
        }

    def test_are_not_satisfied_by_what_was_there_before_they_opened(self, client: Client) -> None:
        meeting = client.create(subject="Meeting")
        client.create(subject="Between")
        client.act(meeting, "complete", follow_up_date="2026-01-01")
        assert self.owed(client) == [("Meeting", "2026-01-01")]

    def test_are_satisfied_by_the_activity_that_names_them_wherever_it_is(self, client: Client) -> None:
        meeting = self.met(client, "Meeting", "c-2", follow_up_date="2026-01-01")
        client.create(follow_up_of_id=meeting["id"].lower())
        assert self.owed(client) == []
        assert self.owed(client, state="all") == [("Meeting", "2026-01-01")]

    def test_are_open_again_when_what_satisfied_them_is_deleted(self, client: Client) -> None:
        self.met(client, "Meeting", "c-2", follow_up_date="2026-01-01")
        later = client.create(activityable_id="c-2")
        client.delete(later)
        assert self.owed(client) == [("Meeting", "2026-01-01")]
        client.act(later, "restore")
        assert self.owed(client) == []

    def test_are_created_only_when_asked_for(self, client: Client) -> None:
        meeting = self.met(client, "Meeting", "c-2", follow_up_date="2026-03-20", create_follow_up=True)
        made = client.rows(type="follow_up")
        assert [(row["follow_up_of_id"], row["due_at"]) for row in made] == [(meeting["id"], "2026-03-20T09:00:00Z")]
        assert self.owed(client) == []

    def test_are_paged_like_every_list(self, client: Client) -> None:
        for n in range(1, 6):
            self.met(client, f"No {n}", f"c-{n}", follow_up_date=f"2026-01-0{n}")
        first = client.ok("GET", "/activities/follow-ups", params={"per_page": 2})
        assert first["meta"].items() >= {"total": 5, "last_page": 3, "current_page": 1}.items()
        cursor = first["meta"]["next_cursor"]
        second = client.ok("GET", "/activities/follow-ups", params={"per_page": 2, "cursor": cursor})
        assert [row["subject"] for row in [*first["data"], *second["data"]]] == [
            "No 1",
            "No 2",
            "No 3",
            "No 4",
        ]


class TestOrganisations:
    def test_cannot_see_one_another(self, service: Service, client: Client) -> None:
        activity = client.create(subject="Findable", due_at=DUE)
        client.act(client.create(), "complete", follow_up_required=True)
        with service.client() as stranger:
            for path, asked in (*LISTS, ("/activities/follow-ups", {}), ("/customers", {})):
                assert client.rows(path, **asked) != []
                body = stranger.ok("GET", path, params=asked)
                assert (body["data"], body["meta"]["total"]) == ([], 0)
            theirs = stranger.call("GET", f"/activities/{activity['id']}")
            unknown = stranger.call("GET", "/activities/01JFJ0000000000000000000AA")
            assert theirs.status_code == unknown.status_code == 404
            differing = {"instance", "request_id"}
            assert {k: v for k, v in theirs.json().items() if k not in differing} == {
                k: v for k, v in unknown.json().items() if k not in differing
            }
            for method, path, body, *_ in REQUESTS.values():
                assert stranger.call(method, f"/activities/{activity['id']}{path}", body).status_code == 404
            assert stranger.call("GET", f"/activities/{activity['id']}/history").status_code == 404
            assert stranger.call("GET", "/customers/c-1").status_code == 404
            assert stranger.call("PATCH", "/customers/c-1", {"name": "x"}).status_code == 404
            assert stranger.call("POST", "/activities", dict(A_CALL)).status_code == 422
            assert stranger.recorded() == 0
        assert client.get(activity)["version"] == 1

    def test_may_use_the_same_ids_for_their_own_records(self, service: Service, client: Client) -> None:
        with service.client() as stranger:
            stranger.record("customers", "c-1", name="Theirs")
            assert stranger.create()["activityable"]["name"] == "Theirs"
        assert client.create()["activityable"]["name"] == "customers c-1"


class TestDirectory:
    NOUNS = ("leads", "customers", "opportunities", "contacts", "accounts", "users")

    @pytest.mark.parametrize("noun", NOUNS)
    def test_a_record_is_made_changed_and_made_sure_of(self, client: Client, noun: str) -> None:
        made = client.call("POST", f"/{noun}", {"name": "Kim", "tags": ["a"], "attributes": {"b": 1}})
        assert made.status_code == 201
        record = made.json()["data"]
        assert len(record["id"]) == 26
        assert client.ok("GET", f"/{noun}/{record['id'].lower()}")["data"] == record
        changed = client.ok("PATCH", f"/{noun}/{record['id']}", {"notes": "new", "tags": None})["data"]
        assert (changed["name"], changed["notes"], changed["version"]) == ("Kim", "new", 2)
        assert "tags" not in changed or not changed["tags"]
        first = client.call("PUT", f"/{noun}/my own id", {"name": "Lee"})
        again = client.call("PUT", f"/{noun}/my own id", {"notes": "x"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["data"]["name"] == "Lee"
        assert client.ok("GET", f"/{noun}/my%20own%20id")["data"]["id"] == "my own id"

    def test_one_id_may_be_used_for_several_kinds(self, client: Client) -> None:
        for noun in self.NOUNS:
            client.record(noun, "same")
        assert {client.ok("GET", f"/{noun}/same")["data"]["name"] for noun in self.NOUNS} == {
            f"{noun} same" for noun in self.NOUNS
        }

    def test_lists_are_searched_sorted_and_paged(self, client: Client) -> None:
        for n, name in enumerate(("Zoe Adams", "adam smith", "Eve", "Bob Madam")):
            client.record("contacts", f"p-{n}", name=name, email=f"{n}@example.com")
        found = client.rows("/contacts", search="ADAM", sort_by="name", sort_direction="desc")
        assert [row["id"] for row in found] in (["p-0", "p-3", "p-1"], ["p-1", "p-0", "p-3"])
        assert [row["id"] for row in client.rows("/contacts", search="2@EXAMPLE")] == ["p-2"]
        first = client.ok("GET", "/contacts", params={"per_page": 3})
        rest = client.ok("GET", "/contacts", params={"per_page": 3, "cursor": first["meta"]["next_cursor"]})
        assert [row["id"] for row in [*first["data"], *rest["data"]]] == ["p-0", "p-1", "p-2", "p-3"]

    def test_records_of_an_account_are_found(self, client: Client) -> None:
        client.record("accounts", "a-1")
        client.record("contacts", "p-1", account_id="a-1")
        client.record("contacts", "p-2")
        assert [row["id"] for row in client.rows("/contacts", account_id="a-1")] == ["p-1"]
