"""Completing: what came of it, how long it took, what it is worth, and whether somebody has to follow up."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from given import (
    BEFORE,
    ID,
    ME,
    NOW,
    OTHER_ID,
    completed,
    created,
    given,
    kinds,
    patched,
    then,
    waited,
)

from domain.activity.activity import Activity
from domain.activity.creation import follow_up
from domain.activity.decisions import complete
from domain.activity.drafts import Completion
from domain.refusals import Invalid, NotAllowed
from domain.values import MOST_MONEY, MOST_TAGS

DAY = date(2026, 3, 20)
OTHER_DAY = date(2026, 4, 1)


def done(activity: Activity, **said: Any) -> Activity:
    return then(activity, complete(activity, Completion.model_validate(said), now=NOW))


class TestDurations:
    def test_planned_and_actual_are_both_kept_and_the_actual_one_is_shown(self) -> None:
        after = done(given(created(duration_minutes=30)), duration_minutes=42)
        assert after.planned_duration_minutes == 30
        assert after.actual_duration_minutes == 42
        assert after.duration_minutes == 42

    def test_without_an_actual_duration_the_planned_one_is_shown(self) -> None:
        after = done(given(created(duration_minutes=30)))
        assert (after.actual_duration_minutes, after.duration_minutes) == (None, 30)

    def test_it_may_have_taken_no_time_at_all(self) -> None:
        assert done(given(created(duration_minutes=30)), duration_minutes=0).duration_minutes == 0


class TestWhenItHappened:
    def test_now_unless_said(self) -> None:
        assert done(given(created())).completed_at == NOW

    def test_at_any_time_in_the_past(self) -> None:
        long_ago = NOW - timedelta(days=4000)
        assert done(given(created()), completed_at=long_ago.isoformat()).completed_at == long_ago

    def test_at_this_very_instant(self) -> None:
        assert done(given(created()), completed_at=NOW.isoformat()).completed_at == NOW

    def test_never_in_the_future(self) -> None:
        soon = NOW + timedelta(microseconds=1)
        with pytest.raises(Invalid) as refusal:
            done(given(created()), completed_at=soon.isoformat())
        assert refusal.value.field == "completed_at"


class TestTags:
    def test_are_added_in_order_without_doubles(self) -> None:
        after = done(given(created(tags=["a", "b"])), tags=["c", "b", "d", "c"])
        assert after.tags == ("a", "b", "c", "d")

    def test_are_fifty_at_most_together(self) -> None:
        many = [f"t{n}" for n in range(MOST_TAGS - 1)]
        activity = given(created(tags=many))
        assert len(done(activity, tags=["one more"]).tags) == MOST_TAGS
        with pytest.raises(Invalid) as refusal:
            done(activity, tags=["one more", "and another"])
        assert refusal.value.field == "tags"

    def test_replace_the_old_ones_when_a_patch_completes(self) -> None:
        activity = given(created(tags=["a", "b"]))
        after = then(activity, patched(activity, status="completed", tags=["c"]))
        assert (after.status, after.tags) == ("completed", ("c",))


class TestBillableAmount:
    @pytest.mark.parametrize(
        ("rate", "minutes", "amount"),
        [
            ("150.00", 42, "105.00"),
            ("100.00", 60, "100.00"),
            ("0.10", 3, "0.01"),  # 0.005: half up, not half to even
            ("0.30", 3, "0.02"),  # 0.015
            ("0.50", 3, "0.03"),  # 0.025: half up, not half to even
            ("99.99", 1, "1.67"),  # 1.6665
            ("0.01", 29, "0.00"),
            ("75.50", 0, "0.00"),
        ],
    )
    def test_is_the_rate_by_the_hour_half_up_to_the_cent(self, rate: str, minutes: int, amount: str) -> None:
        activity = given(created(is_billable=True, billable_rate=rate, currency="EUR"))
        after = done(activity, duration_minutes=minutes)
        assert after.billable_amount == Decimal(amount)
        assert str(after.billable_amount) == amount

    def test_counts_the_actual_minutes_else_the_planned_ones(self) -> None:
        activity = given(created(is_billable=True, billable_rate="60.00", duration_minutes=30))
        assert done(activity).billable_amount == Decimal("30.00")
        assert done(activity, duration_minutes=45).billable_amount == Decimal("45.00")

    @pytest.mark.parametrize(
        "fields",
        [
            {"is_billable": False, "billable_rate": "60.00", "duration_minutes": 30},
            {"is_billable": True, "duration_minutes": 30},
            {"is_billable": True, "billable_rate": "60.00"},
        ],
    )
    def test_is_unknown_where_anything_it_is_made_of_is(self, fields: dict[str, Any]) -> None:
        assert done(given(created(**fields))).billable_amount is None

    def test_beyond_what_money_can_be_is_refused(self) -> None:
        activity = given(created(is_billable=True, billable_rate=str(MOST_MONEY)))
        assert done(activity, duration_minutes=60).billable_amount == MOST_MONEY
        with pytest.raises(Invalid) as refusal:
            done(activity, duration_minutes=61)
        assert refusal.value.field == "duration_minutes"

    def test_is_frozen(self) -> None:
        after = done(
            given(created(is_billable=True, billable_rate="60.00", duration_minutes=30)),
            outcome="agreed",
        )
        for change in ({"billable_rate": 90}, {"duration_minutes": 60}, {"is_billable": False}):
            with pytest.raises(NotAllowed):
                patched(after, **change)
        annotated = then(after, patched(after, description="a note"))
        assert annotated.billable_amount == Decimal("30.00")


class TestFollowUps:
    def test_are_only_planned_until_the_activity_is_completed(self) -> None:
        activity = given(created(follow_up_required=True, follow_up_date=DAY))
        assert activity.follow_up_opened is None
        after = done(activity)
        assert after.follow_up_opened == after.number + 1
        assert (after.follow_up_required, after.follow_up_date) == (True, DAY)

    def test_are_implied_by_their_date(self) -> None:
        after = done(given(created()), follow_up_date=DAY.isoformat())
        assert (after.follow_up_required, after.follow_up_date) == (True, DAY)
        assert after.follow_up_opened is not None

    def test_may_have_no_date(self) -> None:
        after = done(given(created()), follow_up_required=True)
        assert (after.follow_up_required, after.follow_up_date) == (True, None)
        assert after.follow_up_opened is not None

    def test_keep_the_planned_date_unless_another_is_given(self) -> None:
        activity = given(created(follow_up_required=True, follow_up_date=DAY))
        assert done(activity, follow_up_required=True).follow_up_date == DAY
        assert done(activity, follow_up_date=OTHER_DAY.isoformat()).follow_up_date == OTHER_DAY

    def test_are_not_owed_when_the_completion_says_so(self) -> None:
        after = done(given(created(follow_up_required=True, follow_up_date=DAY)), follow_up_required=False)
        assert (after.follow_up_required, after.follow_up_date) == (False, None)
        assert after.follow_up_opened is None

    def test_are_not_owed_where_nobody_asked(self) -> None:
        assert done(given(created())).follow_up_opened is None

    def test_are_made_for_nine_in_the_morning_of_the_organisation_naming_what_they_follow(self) -> None:
        activity = given(created(priority="high", contact_id="p-1", assigned_user_id="u-7", tags=["a"]))
        facts = follow_up(
            activity, id=OTHER_ID, on=DAY, zone=ZoneInfo("Europe/Vienna"), actor=ME, currency="USD", now=NOW
        )
        made = then(None, facts)
        assert made.due_at is not None
        assert made.due_at.isoformat() == "2026-03-20T08:00:00+00:00"
        assert (made.type, made.status, made.follow_up_of_id) == ("follow_up", "pending", ID)
        assert (made.activityable_type, made.activityable_id) == ("customer", "c-1")
        assert (made.contact_id, made.assigned_user_id, made.priority) == ("p-1", "u-7", "high")

    def test_cannot_be_made_without_a_date(self) -> None:
        with pytest.raises(Invalid) as refusal:
            follow_up(
                given(created()),
                id=OTHER_ID,
                on=None,
                zone=ZoneInfo("UTC"),
                actor=ME,
                currency="USD",
                now=NOW,
            )
        assert refusal.value.field == "follow_up_date"


def test_the_outcome_is_optional_and_what_was_said_of_it_stays() -> None:
    assert done(given(created()), outcome="They agreed.").outcome == "They agreed."
    assert done(given(created())).outcome is None


def test_a_waiting_activity_can_be_completed_at_once() -> None:
    assert done(given(created(), waited())).status == "completed"


def test_what_is_completed_is_not_completed_again() -> None:
    with pytest.raises(NotAllowed) as refusal:
        complete(given(created(), completed()), Completion(), now=NOW)
    assert set(refusal.value.allowed_actions) == {"update", "delete"}


def test_a_patch_to_completed_takes_all_that_a_completion_takes() -> None:
    activity = given(created(duration_minutes=30, follow_up_required=True, follow_up_date=DAY))
    facts = patched(
        activity,
        status="completed",
        outcome="They agreed.",
        duration_minutes=42,
        completed_at=BEFORE.isoformat(),
        follow_up_date=OTHER_DAY.isoformat(),
    )
    after = then(activity, facts)
    assert kinds(facts) == ["Completed"]
    assert (after.outcome, after.completed_at) == ("They agreed.", BEFORE)
    assert (after.planned_duration_minutes, after.actual_duration_minutes) == (30, 42)
    assert (after.follow_up_date, after.follow_up_opened) == (OTHER_DAY, after.number + 1)
