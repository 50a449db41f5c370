"""Creating: anew and further along, as the successor of a cancelled activity, and recreated from one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from given import (
    BEFORE,
    DUE,
    ID,
    LATER,
    ME,
    NOW,
    OTHER_ID,
    REMINDER,
    cancelled,
    created,
    given,
    kinds,
    new,
    resumed,
    started,
    then,
    waited,
)
from pydantic_core import to_jsonable_python

from domain.activity.activity import Activity
from domain.activity.creation import create, recreate, succeed
from domain.activity.decisions import Facts, resume, wait
from domain.activity.drafts import Recreation
from domain.refusals import Invalid, NotAllowed


def creating(**fields: Any) -> Facts:
    return create(new(**fields), id=ID, actor=ME, currency="USD", now=NOW)


def made(**fields: Any) -> Activity:
    return then(None, creating(**fields))


def test_the_least_makes_a_pending_activity_of_the_callers_own() -> None:
    activity = made()
    assert (activity.status, activity.priority, activity.version) == ("pending", "medium", 1)
    assert (activity.created_by, activity.assigned_user_id) == (ME, ME)
    assert (activity.created_at, activity.updated_at) == (NOW, NOW)
    assert (activity.rescheduled_count, activity.previous_due_at, activity.tags) == (0, None, ())


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        ("pending", ["Created"]),
        ("in_progress", ["Created", "Started"]),
        ("waiting", ["Created", "Waited"]),
        ("deferred", ["Created", "Deferred"]),
        ("completed", ["Created", "Completed"]),
    ],
)
def test_it_may_be_created_further_along(status: str, happened: list[str]) -> None:
    facts = creating(status=status)
    assert kinds(facts) == happened
    assert then(None, facts).status == status


def test_it_cannot_be_created_cancelled() -> None:
    with pytest.raises(Invalid) as refusal:
        creating(status="cancelled")
    assert refusal.value.field == "status"


def test_created_in_progress_counts_as_started() -> None:
    activity = made(status="in_progress")
    assert activity.started_at == NOW
    waiting = then(activity, wait(activity, reason=None, now=NOW))
    assert then(waiting, resume(waiting, now=NOW)).status == "in_progress"


def test_created_waiting_does_not_count_as_started() -> None:
    waiting = made(status="waiting")
    assert waiting.started_at is None
    assert then(waiting, resume(waiting, now=NOW)).status == "pending"


def test_once_started_it_resumes_in_progress_for_ever_after() -> None:
    waiting = given(created(), started(), waited(), resumed(), waited())
    assert then(waiting, resume(waiting, now=NOW)).status == "in_progress"


class TestCreatedCompleted:
    def test_happened_when_it_is_said_to_have(self) -> None:
        assert made(status="completed", completed_at=BEFORE.isoformat()).completed_at == BEFORE

    def test_happened_now_unless_said(self) -> None:
        assert made(status="completed").completed_at == NOW

    def test_did_not_happen_in_the_future(self) -> None:
        with pytest.raises(Invalid) as refusal:
            made(status="completed", completed_at=(NOW + timedelta(seconds=1)).isoformat())
        assert refusal.value.field == "completed_at"

    def test_took_as_long_as_is_said(self) -> None:
        activity = made(status="completed", duration_minutes=20, is_billable=True, billable_rate=60)
        assert (activity.actual_duration_minutes, activity.duration_minutes) == (20, 20)
        assert activity.billable_amount == Decimal("20.00")

    def test_opens_the_follow_up_it_requires(self) -> None:
        assert made(status="completed", follow_up_date="2026-03-20").follow_up_opened == 2

    @pytest.mark.parametrize("status", ["pending", "in_progress", "waiting", "deferred"])
    @pytest.mark.parametrize(("field", "value"), [("completed_at", BEFORE.isoformat()), ("outcome", "They agreed.")])
    def test_is_all_that_takes_a_completion(self, status: str, field: str, value: str) -> None:
        with pytest.raises(Invalid) as refusal:
            creating(**{"status": status, field: value})
        assert refusal.value.field == field


def test_a_follow_up_date_implies_the_follow_up() -> None:
    activity = made(follow_up_date="2026-03-20")
    assert activity.follow_up_required
    assert activity.follow_up_opened is None


def test_a_rate_has_the_currency_given_else_the_organisations() -> None:
    assert made(billable_rate=60).currency == "USD"
    assert made(billable_rate=60, currency="EUR").currency == "EUR"
    assert made().currency is None


def test_any_due_date_will_do_past_or_future() -> None:
    assert made(due_at="1999-12-31T00:00:00Z").due_at is not None
    assert made(due_at="9999-12-31T23:59:59Z").due_at is not None


RICH: dict[str, Any] = {
    "type": "demo",
    "subject": "Gärtnerei sees the product",
    "description": "Bring the blue one",
    "activityable_type": "opportunity",
    "activityable_id": "o-1",
    "contact_id": "p-1",
    "assigned_user_id": "u-7",
    "duration_minutes": 45,
    "priority": "urgent",
    "location": "Linz",
    "tags": ["a", "b"],
    "custom_fields": {"deal": {"size": 3}},
    "is_billable": True,
    "billable_rate": "150.00",
    "currency": "EUR",
    "participants": [{"kind": "contact", "id": "p-1", "role": "required"}],
}
"""Everything a successor and a recreation take over."""
NOT_TAKEN_OVER: dict[str, Any] = {
    "follow_up_required": True,
    "follow_up_date": "2026-03-20",
    "follow_up_of_id": OTHER_ID,
    "attachment_urls": ["https://example.com/a.pdf"],
}


def rich(*facts: Any) -> Activity:
    return given(created(due_at=DUE, reminder_at=REMINDER, **RICH, **NOT_TAKEN_OVER), *facts)


def taken_over(activity: Activity) -> dict[str, Any]:
    names = RICH.keys() - {"duration_minutes"}
    dumped = to_jsonable_python(activity._asdict(), exclude_none=True)
    return {name: dumped[name] for name in names} | {"duration_minutes": activity.planned_duration_minutes}


class TestSuccessors:
    def successor(self, activity: Activity) -> Activity:
        facts = succeed(activity, id=OTHER_ID, due_at=LATER, actor="u-9", currency="USD", now=NOW)
        assert kinds(facts) == ["Created"]
        return then(None, facts)

    def test_take_over_what_the_activity_is(self) -> None:
        successor = self.successor(rich())
        assert taken_over(successor) == RICH

    def test_are_due_at_the_other_date_with_the_same_reminder_lead(self) -> None:
        successor = self.successor(rich())
        assert successor.due_at == LATER
        assert successor.reminder_at == LATER - timedelta(minutes=15)

    def test_are_linked_and_new(self) -> None:
        before = rich(started(), waited())
        successor = self.successor(before)
        assert (successor.id, successor.predecessor_id, successor.status) == (OTHER_ID, ID, "pending")
        assert (successor.created_by, successor.created_at, successor.version) == ("u-9", NOW, 1)
        assert (successor.started_at, successor.outcome, successor.rescheduled_count) == (None, None, 0)
        assert (successor.follow_up_required, successor.follow_up_date) == (False, None)

    def test_have_no_reminder_where_there_was_no_date_to_remind_of(self) -> None:
        activity = given(created(reminder_at=REMINDER))
        assert self.successor(activity).reminder_at is None


class TestRecreations:
    def recreation(self, activity: Activity, **changes: Any) -> Activity:
        said = Recreation.model_validate(changes)
        facts = recreate(activity, said, id=OTHER_ID, actor="u-9", currency="USD", now=NOW)
        assert kinds(facts) == ["Created"]
        return then(None, facts)

    def test_take_over_what_the_activity_is_its_date_and_its_reminder_too(self) -> None:
        recreation = self.recreation(rich(started(), cancelled(reason="no time")))
        assert taken_over(recreation) == RICH
        assert (recreation.due_at, recreation.reminder_at) == (DUE, REMINDER)

    def test_are_linked_and_new(self) -> None:
        recreation = self.recreation(rich(started(), cancelled(reason="no time")))
        assert (recreation.id, recreation.recreated_from_id, recreation.status) == (OTHER_ID, ID, "pending")
        assert (recreation.created_by, recreation.created_at) == ("u-9", NOW)
        assert (recreation.started_at, recreation.cancelled_at, recreation.cancellation_reason) == (None,) * 3
        assert (recreation.follow_up_required, recreation.follow_up_date) == (False, None)

    def test_are_otherwise_where_asked(self) -> None:
        recreation = self.recreation(rich(cancelled()), subject="Another", tags=["c"], description=None)
        assert (recreation.subject, recreation.tags, recreation.description) == ("Another", ("c",), None)
        assert recreation.custom_fields == RICH["custom_fields"]

    def test_keep_the_reminder_lead_when_only_the_date_is_another(self) -> None:
        recreation = self.recreation(rich(cancelled()), due_at=LATER.isoformat())
        assert (recreation.due_at, recreation.reminder_at) == (LATER, LATER - timedelta(minutes=15))

    def test_take_the_reminder_that_is_given(self) -> None:
        recreation = self.recreation(rich(cancelled()), due_at=LATER.isoformat(), reminder_at=None)
        assert (recreation.due_at, recreation.reminder_at) == (LATER, None)

    @pytest.mark.parametrize("facts", [[], [started()], [waited()]], ids=str)
    def test_need_a_cancelled_activity(self, facts: list[Any]) -> None:
        with pytest.raises(NotAllowed):
            self.recreation(given(created(), *facts))
