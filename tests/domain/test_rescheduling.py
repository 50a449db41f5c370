"""Moving a due date: what is counted, what happens to the reminder, and when nothing is recorded."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from given import (
    BEFORE,
    DUE,
    LATER,
    NOW,
    REMINDER,
    created,
    deferred,
    given,
    kinds,
    patched,
    started,
    then,
    waited,
)

from domain.activity.activity import Activity
from domain.activity.decisions import reschedule
from domain.activity.events import Rescheduled
from domain.refusals import Invalid, NotAllowed
from domain.vocabulary import Priority

SCHEDULED = given(created(due_at=DUE, reminder_at=REMINDER))
UNSCHEDULED = given(created())
PARKED = given(created(due_at=DUE, reminder_at=REMINDER), deferred())


def moved(activity: Activity, due_at: datetime, **more: Any) -> Activity:
    return then(activity, reschedule(activity, due_at=due_at, now=NOW, **more))


def counted(activity: Activity) -> tuple[datetime | None, datetime | None, int]:
    return activity.due_at, activity.previous_due_at, activity.rescheduled_count


def test_each_real_move_counts_and_remembers_the_date_just_before() -> None:
    once = moved(SCHEDULED, LATER)
    assert counted(once) == (LATER, DUE, 1)
    assert counted(moved(once, DUE)) == (DUE, LATER, 2)


def test_the_reminder_keeps_its_lead() -> None:
    assert moved(SCHEDULED, LATER).reminder_at == LATER - timedelta(minutes=15)


def test_a_reminder_after_the_due_date_keeps_its_distance_too() -> None:
    activity = given(created(due_at=DUE, reminder_at=DUE + timedelta(hours=1)))
    assert moved(activity, LATER).reminder_at == LATER + timedelta(hours=1)


def test_the_reminder_stays_where_it_was_when_asked_to() -> None:
    assert moved(SCHEDULED, LATER, update_reminder=False).reminder_at == REMINDER


def test_without_a_reminder_none_appears() -> None:
    assert moved(given(created(due_at=DUE)), LATER).reminder_at is None


def test_to_the_same_instant_nothing_is_recorded() -> None:
    assert reschedule(SCHEDULED, due_at=DUE, now=NOW) == []


def test_to_the_same_instant_on_another_clock_nothing_is_recorded() -> None:
    in_vienna = DUE.astimezone(timezone(timedelta(hours=1)))
    assert reschedule(SCHEDULED, due_at=in_vienna, now=NOW) == []
    assert patched(SCHEDULED, due_at=in_vienna.isoformat()) == []


def test_said_twice_it_is_recorded_once() -> None:
    once = moved(SCHEDULED, LATER, priority=Priority.HIGH)
    assert reschedule(once, due_at=LATER, priority=Priority.HIGH, now=NOW) == []


def test_a_first_date_is_recorded_but_not_counted() -> None:
    assert counted(moved(UNSCHEDULED, DUE)) == (DUE, None, 0)


def test_taking_the_date_away_is_recorded_but_not_counted() -> None:
    facts = patched(SCHEDULED, due_at=None)
    assert kinds(facts) == ["Rescheduled"]
    assert counted(then(SCHEDULED, facts)) == (None, DUE, 0)


def test_a_date_given_after_one_was_taken_away_is_not_counted() -> None:
    without = then(SCHEDULED, patched(SCHEDULED, due_at=None))
    assert counted(moved(without, LATER)) == (LATER, None, 0)


def test_a_new_priority_alone_is_recorded_but_not_counted() -> None:
    facts = reschedule(SCHEDULED, due_at=DUE, priority=Priority.URGENT, now=NOW)
    after = then(SCHEDULED, facts)
    assert kinds(facts) == ["Rescheduled"]
    assert after.priority is Priority.URGENT
    assert counted(after) == (DUE, None, 0)
    assert after.reminder_at == REMINDER


def test_the_priority_there_is_already_is_no_change() -> None:
    assert reschedule(SCHEDULED, due_at=DUE, priority=Priority.MEDIUM, now=NOW) == []


def test_a_priority_comes_along_with_a_move() -> None:
    after = moved(SCHEDULED, LATER, priority=Priority.HIGH)
    assert (after.priority, after.rescheduled_count) == (Priority.HIGH, 1)


def test_a_deferred_activity_becomes_pending() -> None:
    after = moved(PARKED, LATER)
    assert after.status == "pending"
    assert counted(after) == (LATER, DUE, 1)


def test_a_deferred_activity_moved_to_its_old_instant_becomes_pending_and_nothing_is_counted() -> None:
    facts = reschedule(PARKED, due_at=DUE, now=NOW)
    after = then(PARKED, facts)
    assert kinds(facts) == ["Rescheduled"]
    assert after.status == "pending"
    assert counted(after) == (DUE, None, 0)
    assert after.reminder_at == REMINDER


def test_a_waiting_activity_goes_on_waiting() -> None:
    activity = given(created(due_at=DUE), waited())
    after = moved(activity, LATER)
    assert (after.status, after.rescheduled_count) == ("waiting", 1)


def test_the_reason_is_recorded() -> None:
    [fact] = reschedule(SCHEDULED, due_at=LATER, reason="they are away", now=NOW)
    assert isinstance(fact, Rescheduled)
    assert fact.reason == "they are away"


@pytest.mark.parametrize(
    ("due_at", "reminder_at", "to"),
    [
        (DUE, DUE - timedelta(days=2), datetime(1, 1, 2, tzinfo=UTC)),
        (DUE, DUE + timedelta(days=2), datetime(9999, 12, 30, 12, tzinfo=UTC)),
    ],
)
def test_a_reminder_pushed_out_of_the_calendar_is_refused(
    due_at: datetime, reminder_at: datetime, to: datetime
) -> None:
    activity = given(created(due_at=due_at, reminder_at=reminder_at))
    with pytest.raises(Invalid) as refusal:
        reschedule(activity, due_at=to, now=NOW)
    assert refusal.value.field == "reminder_at"
    with pytest.raises(Invalid) as refusal:
        patched(activity, due_at=to.isoformat())
    assert refusal.value.field == "reminder_at"


def test_a_date_in_the_past_is_as_good_as_any() -> None:
    assert moved(SCHEDULED, BEFORE - timedelta(days=500)).due_at == BEFORE - timedelta(days=500)


class TestPatchingTheDueDate:
    def test_counts_as_a_reschedule_and_moves_the_reminder(self) -> None:
        after = then(SCHEDULED, patched(SCHEDULED, due_at=LATER.isoformat()))
        assert counted(after) == (LATER, DUE, 1)
        assert after.reminder_at == LATER - timedelta(minutes=15)

    def test_takes_the_reminder_that_is_given_along(self) -> None:
        reminder = LATER - timedelta(days=1)
        facts = patched(SCHEDULED, due_at=LATER.isoformat(), reminder_at=reminder.isoformat())
        after = then(SCHEDULED, facts)
        assert (after.due_at, after.reminder_at, after.rescheduled_count) == (LATER, reminder, 1)

    def test_makes_a_deferred_activity_pending(self) -> None:
        assert then(PARKED, patched(PARKED, due_at=LATER.isoformat())).status == "pending"

    def test_comes_with_the_other_changes_in_one_decision(self) -> None:
        facts = patched(SCHEDULED, due_at=LATER.isoformat(), subject="Another", priority="high")
        after = then(SCHEDULED, facts)
        assert (after.due_at, after.subject, after.priority) == (LATER, "Another", "high")

    @pytest.mark.parametrize("facts", [[started()], [waited()], [started(), waited()]], ids=str)
    def test_needs_both_update_and_reschedule(self, facts: list[Any]) -> None:
        activity = given(created(due_at=DUE), *facts)
        with pytest.raises(NotAllowed) as refusal:
            patched(activity, due_at=LATER.isoformat(), subject="Another")
        assert refusal.value.allowed_actions == activity.allowed_actions

    def test_to_where_it_stands_is_no_move_even_where_moving_is_not_allowed(self) -> None:
        activity = given(created(due_at=DUE), started())
        assert kinds(patched(activity, due_at=DUE.isoformat(), subject="Another")) == ["Updated"]
