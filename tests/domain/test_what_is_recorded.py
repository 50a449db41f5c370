"""What a decision records, to the letter: it is stored for ever."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from given import (
    BEFORE,
    DUE,
    ID,
    LATER,
    ME,
    NOW,
    OTHER_ID,
    cancelled,
    created,
    given,
    kinds,
    new,
    patched,
    started,
    then,
    waited,
)
from pydantic import TypeAdapter

from domain.activity.creation import create, follow_up, recreate, succeed
from domain.activity.decisions import resume, wait
from domain.activity.drafts import Recreation
from domain.activity.events import Cancelled, Created, Waited
from domain.participants import Participant
from domain.record.decisions import create_record, put_record
from domain.record.drafts import OpportunityDraft, RecordDraft
from domain.record.events import RecordUpdated
from domain.record.record import evolve_record
from domain.values import Instant, same
from domain.vocabulary import RecordKind


def test_a_creation_records_what_was_said_and_no_more() -> None:
    """Not the status it goes on to, nor what belongs to its completion."""
    said = new(
        status="completed",
        outcome="Agreed",
        completed_at=NOW - timedelta(hours=1),
        create_follow_up=True,
        participants=["u-2", {"kind": "EXTERNAL", "name": "Kim"}],
    )
    first, done = create(said, id=ID, actor=ME, currency="USD", now=NOW)
    assert first.model_dump(mode="json", exclude_unset=True) == {
        "at": "2026-03-02T09:00:00Z",
        "id": ID,
        "created_by": ME,
        "type": "call",
        "subject": "Call about the offer",
        "activityable_type": "customer",
        "activityable_id": "c-1",
        "assigned_user_id": ME,
        "participants": [{"kind": "user", "id": "u-2"}, {"kind": "external", "name": "Kim"}],
    }
    assert (done.outcome, done.completed_at) == ("Agreed", NOW - timedelta(hours=1))  # type: ignore[union-attr]


def test_logged_as_cancelled_it_is_created_and_cancelled_at_once() -> None:
    facts = create(new(), id=ID, actor=ME, currency="USD", now=NOW, cancelled=True)
    assert kinds(facts) == ["Created", "Cancelled"]
    assert facts[1] == Cancelled(at=NOW, reason=None)


def test_waiting_keeps_its_reason() -> None:
    assert wait(given(created()), reason="For their lawyer", now=NOW) == [Waited(at=NOW, reason="For their lawyer")]


def test_copies_are_billed_in_the_currency_of_the_house_where_none_was_said() -> None:
    """The one that is copied had a rate and, from the days before currencies, none."""
    old = given(created(billable_rate="80.00", is_billable=True))
    [successor] = succeed(old, id=OTHER_ID, due_at=LATER, actor=ME, currency="EUR", now=NOW)
    again = given(created(billable_rate="80.00", is_billable=True), cancelled())
    [recreated] = recreate(again, Recreation(), id=OTHER_ID, actor=ME, currency="EUR", now=NOW)
    assert isinstance(successor, Created) and isinstance(recreated, Created)
    assert (successor.currency, recreated.currency) == ("EUR", "EUR")


def test_a_recreation_with_both_dates_has_them_as_they_were_said() -> None:
    gone = given(created(due_at=DUE, reminder_at=DUE - timedelta(minutes=15)), cancelled())
    said = Recreation(due_at=LATER, reminder_at=LATER - timedelta(days=1))
    [recreated] = recreate(gone, said, id=OTHER_ID, actor=ME, currency="USD", now=NOW)
    assert then(None, [recreated]).reminder_at == LATER - timedelta(days=1)
    far = given(
        created(due_at=datetime(1, 1, 2, tzinfo=UTC), reminder_at=datetime(9999, 1, 1, tzinfo=UTC)), cancelled()
    )
    [recreated] = recreate(far, said, id=OTHER_ID, actor=ME, currency="USD", now=NOW)
    assert then(None, [recreated]).reminder_at == LATER - timedelta(days=1), "no lead time is reckoned with"


def test_a_follow_up_is_at_nine_there_and_its_subject_fits() -> None:
    activity = given(created(subject="x" * 255))
    zone = ZoneInfo("Europe/Vienna")
    [made] = follow_up(activity, id=OTHER_ID, on=date(2026, 7, 1), zone=zone, actor=ME, currency="USD", now=NOW)
    assert isinstance(made, Created)
    assert len(made.subject) == 255
    assert made.due_at is not None
    assert (made.due_at, made.due_at.tzinfo) == (datetime(2026, 7, 1, 7, tzinfo=UTC), UTC)


def test_a_moved_activity_takes_the_reminder_that_was_said_with_it_once() -> None:
    activity = given(created(due_at=DUE, reminder_at=DUE - timedelta(minutes=15)))
    facts = patched(activity, due_at=LATER, reminder_at=LATER - timedelta(days=1))
    assert kinds(facts) == ["Rescheduled"]


def test_the_same_planned_duration_is_no_change() -> None:
    assert patched(given(created(duration_minutes=30)), duration_minutes=30) == []


def test_objects_are_the_same_in_whatever_order_they_are_written() -> None:
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same({"a": True}, {"a": 1})
    assert not same({"a": 1}, None)
    assert not same((), {})


def test_an_instant_is_kept_in_utc() -> None:
    instant = TypeAdapter(Instant).validate_python("2026-01-01T12:00:00+02:00")
    assert (instant, instant.tzinfo) == (datetime(2026, 1, 1, 10, tzinfo=UTC), UTC)
    assert instant.utcoffset() == timezone.utc.utcoffset(None)  # noqa: UP017  the class, not our name for it


def test_words_in_any_case_are_kept_in_lower_case_and_what_is_no_word_is_left_alone() -> None:
    assert Participant.model_validate({"kind": "USER", "role": "ORGANIZER", "rsvp": None}).role == "organizer"
    assert Participant.model_validate({"role": None}).role is None


def test_records_keep_plain_json_and_the_time_of_their_last_change() -> None:
    said = OpportunityDraft.model_validate({"name": "Deal", "value": 150000.5, "expected_close_date": "2026-06-30"})
    [made] = create_record(said, id="o-1", kind=RecordKind.OPPORTUNITY, now=NOW)
    assert made.fields == {"name": "Deal", "value": "150000.5", "expected_close_date": "2026-06-30"}
    record = evolve_record(None, made)
    changed = evolve_record(record, RecordUpdated(at=NOW + timedelta(days=1), fields={"stage": "won"}))
    assert (record.updated_at, changed.updated_at, changed.created_at) == (NOW, NOW + timedelta(days=1), NOW)
    assert put_record(changed, RecordDraft(notes="x"), id="o-1", kind=RecordKind.OPPORTUNITY, now=NOW) == [
        RecordUpdated(at=NOW, fields={"notes": "x"})
    ]


def test_a_cancellation_is_seen_with_its_time_its_reason_and_its_successor() -> None:
    gone = given(created(), cancelled(reason="No budget", successor_id=OTHER_ID))
    assert (gone.cancelled_at, gone.cancellation_reason, gone.successor_id) == (BEFORE, "No budget", OTHER_ID)


def test_a_changed_duration_is_the_planned_one() -> None:
    activity = given(created(duration_minutes=30))
    changed = then(activity, patched(activity, duration_minutes=45))
    assert (changed.planned_duration_minutes, changed.actual_duration_minutes, changed.duration_minutes) == (
        45,
        None,
        45,
    )


def test_resuming_needs_to_know_whether_it_was_ever_started() -> None:
    """Where it leads differs, and whether it is allowed must not."""
    for facts in ((created(), waited()), (created(), started(), waited())):
        activity = given(*facts)
        assert then(activity, resume(activity, now=NOW)).status == ("in_progress" if len(facts) == 3 else "pending")
