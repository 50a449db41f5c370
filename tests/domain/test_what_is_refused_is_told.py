"""Every refusal says in words what is wrong, names the field, and tells what would be allowed instead."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from given import (
    DUE,
    ID,
    ME,
    NOW,
    OTHER_ID,
    REMINDER,
    cancelled,
    completed,
    created,
    deferred,
    given,
    new,
    patched,
)
from pydantic import TypeAdapter, ValidationError

from domain.activity.creation import create, follow_up
from domain.activity.decisions import cancel, complete, defer, existing, reschedule, restore
from domain.activity.drafts import Completion, NewActivity
from domain.api_key.api_key import evolve_api_key
from domain.api_key.decisions import revoke_api_key
from domain.api_key.events import ApiKeyRevoked
from domain.record.decisions import create_record, update_record
from domain.record.drafts import RecordDraft, UserDraft
from domain.record.events import RecordUpdated
from domain.record.record import evolve_record
from domain.refusals import Invalid, NotAllowed, NotesOnly, RelatedEntityNotFound, Unknown
from domain.values import MOST_TAGS, Attachment, Day, Instant, Money, Tags
from domain.vocabulary import RecordKind, Status

EARLIEST, LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 12, tzinfo=UTC)


def creating(draft: NewActivity | None = None, **said: Any) -> object:
    return create(draft or new(**said), id=ID, actor=ME, currency="USD", now=NOW)


def following_up(on: date | None, zone: str = "UTC") -> object:
    zoned = ZoneInfo(zone)
    return follow_up(given(created()), id=OTHER_ID, on=on, zone=zoned, actor=ME, currency="USD", now=NOW)


def completing(**said: Any) -> object:
    return complete(given(created(tags=[f"t{n}" for n in range(MOST_TAGS)])), Completion(**said), now=NOW)


INVALID: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: creating(NewActivity.model_construct(**{**dict(new()), "status": Status.CANCELLED})),
        "status",
        "An activity cannot be created cancelled",
    ),
    (lambda: creating(completed_at=NOW), "completed_at", "is only for an activity created completed"),
    (lambda: creating(outcome="done"), "outcome", "is only for an activity created completed"),
    (lambda: following_up(None), "follow_up_date", "is needed to create the follow-up"),
    (
        lambda: following_up(date(1, 1, 1), "Asia/Tokyo"),
        "follow_up_date",
        "must lie in the years 1 to 9999 in UTC",
    ),
    (
        lambda: reschedule(given(created(due_at=LAST - timedelta(days=9), reminder_at=LAST)), due_at=LAST, now=NOW),
        "reminder_at",
        "The reminder would fall outside the years 1 to 9999",
    ),
    (lambda: completing(completed_at=NOW + timedelta(seconds=1)), "completed_at", "must not lie in the future"),
    (lambda: completing(tags=["one more"]), "tags", f"An activity has at most {MOST_TAGS} tags"),
    (
        lambda: patched(given(created()), follow_up_of_id=ID.lower()),
        "follow_up_of_id",
        "An activity cannot follow itself up",
    ),
    (
        lambda: patched(given(created()), completed_at=NOW),
        "completed_at",
        "is only for an activity that becomes completed",
    ),
    (
        lambda: complete(
            given(created(is_billable=True, billable_rate="9999999999.99")), Completion(duration_minutes=61), now=NOW
        ),
        "duration_minutes",
        "The billable amount would exceed 9999999999.99",
    ),
    (
        lambda: create_record(RecordDraft(notes="no name"), id="c-1", kind=RecordKind.CUSTOMER, now=NOW),
        "name",
        "Field required",
    ),
    (lambda: raised(RelatedEntityNotFound("contact_id")), "contact_id", "Related entity not found"),
]


def raised(error: Exception) -> object:
    raise error


@pytest.mark.parametrize(("decide", "field", "message"), INVALID)
def test_a_value_that_cannot_be_is_told_with_its_field(decide: Callable[[], object], field: str, message: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decide()
    assert (refusal.value.field, refusal.value.message, str(refusal.value)) == (field, message, message)


@pytest.mark.parametrize(
    ("decide", "message"),
    [
        (lambda: existing(None), "Activity not found"),
        (lambda: restore(None, now=NOW), "Activity not found"),
        (lambda: revoke_api_key(None, now=NOW), "API key not found"),
        (lambda: update_record(None, RecordDraft(), kind=RecordKind.CUSTOMER, now=NOW), "Customer not found"),
    ],
)
def test_what_is_not_there_is_told_by_its_noun(decide: Callable[[], object], message: str) -> None:
    with pytest.raises(Unknown) as refusal:
        decide()
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("decide", "action", "status", "message"),
    [
        (
            lambda: defer(given(created(), completed()), reason=None, now=NOW),
            "defer",
            "completed",
            "Cannot defer an activity that is completed",
        ),
        (
            lambda: restore(given(created(), deferred()), now=NOW),
            "restore",
            "deferred",
            "Cannot restore an activity that is not deleted",
        ),
        (
            lambda: patched(given(created(), cancelled()), status="pending"),
            "update",
            "cancelled",
            "Nothing leads from cancelled to pending",
        ),
        (
            lambda: patched(given(created(), completed()), subject="Another", location="Here"),
            "update",
            "completed",
            "A completed activity takes description, outcome and tags only, not location, subject",
        ),
        (
            lambda: patched(given(created(due_at=DUE), completed()), due_at=DUE + timedelta(days=1)),
            "update",
            "completed",
            "A completed activity takes description, outcome and tags only, not due_at",
        ),
    ],
)
def test_what_the_lifecycle_does_not_allow_is_told_with_what_it_does(
    decide: Callable[[], object], action: str, status: str, message: str
) -> None:
    with pytest.raises(NotAllowed) as refusal:
        decide()
    assert (refusal.value.action, refusal.value.status, refusal.value.message) == (action, status, message)
    allowed = {"completed": ("update", "delete"), "cancelled": ("recreate", "delete")}
    assert set(refusal.value.allowed_actions) == set(allowed.get(status, ("reschedule", "cancel", "update", "delete")))
    assert isinstance(refusal.value, NotesOnly) == message.startswith("A completed")


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Instant, "yesterday", "must be an RFC 3339 instant with an offset, such as 2025-12-20T14:00:00Z"),
        (Instant, "0001-01-01T00:00:00+14:00", "must lie in the years 1 to 9999 in UTC"),
        (Day, 20251223, "must be a day, such as 2025-12-23"),
        (Day, "2025-1-1", "must be a day, such as 2025-12-23"),
        (Money, "1.00", "must be a number"),
        (Tags, [f"t{n}" for n in range(MOST_TAGS + 1)], f"must be at most {MOST_TAGS} tags"),
        (Attachment, "ftp://files.example", "must be an http or https URL without credentials"),
    ],
)
def test_a_word_that_cannot_be_read_is_told_how_it_should_look(kind: Any, value: object, message: str) -> None:
    assert told(lambda: TypeAdapter(kind).validate_python(value)) == message


def test_a_time_zone_nobody_knows_is_told_how_they_look() -> None:
    message = "must be an IANA time zone, such as Europe/Vienna"
    assert told(lambda: UserDraft.model_validate({"time_zone": "Vienna"})) == message


def told(read: Callable[[], object]) -> str:
    with pytest.raises(ValidationError) as error:
        read()
    [said] = error.value.errors()
    return str(said["ctx"]["error"])


def test_no_stream_begins_with_a_change() -> None:
    with pytest.raises(ValueError, match=r"^record.updated.v1 cannot be the first fact of a record$"):
        evolve_record(None, RecordUpdated(at=NOW, fields={}))
    with pytest.raises(ValueError, match=r"^api_key.revoked.v1 cannot be the first fact of an API key$"):
        evolve_api_key(None, ApiKeyRevoked(at=NOW))


def test_a_reminder_that_stays_in_the_calendar_is_moved_without_a_word() -> None:
    near = given(created(due_at=EARLIEST, reminder_at=EARLIEST - timedelta(minutes=15)))
    [moved] = reschedule(near, due_at=DUE, now=NOW)
    assert getattr(moved, "reminder_at") == REMINDER  # noqa: B009  facts are many kinds


def test_reasons_and_successors_are_recorded() -> None:
    activity = given(created())
    [put_off] = defer(activity, reason="Later", now=NOW)
    [given_up] = cancel(activity, reason="No budget", successor_id=OTHER_ID, now=NOW)
    assert (put_off.reason, given_up.reason, given_up.successor_id) == ("Later", "No budget", OTHER_ID)  # type: ignore[union-attr]
