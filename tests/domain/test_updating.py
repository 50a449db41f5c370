"""PUT and PATCH: fields one by one, a status by the action that leads there, notes on what is over."""

from typing import Any

import pytest
from given import (
    BEFORE,
    DUE,
    NOW,
    REMINDER,
    cancelled,
    completed,
    created,
    deferred,
    deleted,
    given,
    kinds,
    patched,
    started,
    then,
    waited,
)

from domain.activity.drafts import ActivityChanges
from domain.activity.events import Updated
from domain.activity.updating import update
from domain.refusals import Invalid, NotAllowed, NotesOnly, Unknown

ROUTES = """
from \\ to          | pending     | in_progress | deferred | waiting | completed | cancelled
pending            | nothing     | Started     | Deferred | Waited  | Completed | Cancelled
in_progress        | refused     | nothing     | Deferred | Waited  | Completed | Cancelled
deferred           | Rescheduled | refused     | nothing  | refused | refused   | Cancelled
waiting            | Resumed     | refused     | refused  | nothing | Completed | Cancelled
waiting once begun | refused     | Resumed     | refused  | nothing | Completed | Cancelled
completed          | refused     | refused     | refused  | refused | nothing   | refused
cancelled          | refused     | refused     | refused  | refused | refused   | nothing
"""
"""What a PATCH of the status alone does: the action that leads there, or none."""

GIVEN = {
    "pending": given(created(due_at=DUE)),
    "in_progress": given(created(due_at=DUE), started()),
    "deferred": given(created(due_at=DUE), deferred()),
    "waiting": given(created(due_at=DUE), waited()),
    "waiting once begun": given(created(due_at=DUE), started(), waited()),
    "completed": given(created(due_at=DUE), completed()),
    "cancelled": given(created(due_at=DUE), cancelled()),
}


def routes() -> list[tuple[str, str, str]]:
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in ROUTES.strip().splitlines()]
    return [(row[0], to, what) for row in rows for to, what in zip(head[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("whence", "to", "what"), routes())
def test_a_status_is_reached_by_the_action_that_leads_there(whence: str, to: str, what: str) -> None:
    activity = GIVEN[whence]
    if what == "refused":
        with pytest.raises(NotAllowed) as refusal:
            patched(activity, status=to)
        assert refusal.value.allowed_actions == activity.allowed_actions
    else:
        facts = patched(activity, status=to)
        assert kinds(facts) == ([] if what == "nothing" else [what])
        assert then(activity, facts).status == to


def test_a_deferred_activity_made_pending_keeps_its_date_uncounted() -> None:
    activity = given(created(due_at=DUE, reminder_at=REMINDER), deferred())
    after = then(activity, patched(activity, status="pending"))
    assert (after.due_at, after.reminder_at) == (DUE, REMINDER)
    assert (after.rescheduled_count, after.previous_due_at) == (0, None)


def test_a_status_and_other_fields_change_in_one_decision() -> None:
    activity = given(created())
    facts = patched(activity, status="in_progress", subject="Another", priority="high")
    after = then(activity, facts)
    assert kinds(facts) == ["Updated", "Started"]
    assert (after.status, after.subject, after.priority) == ("in_progress", "Another", "high")


def test_only_what_changed_is_recorded() -> None:
    activity = given(created(subject="One", description="Two", tags=["a"]))
    facts = patched(activity, subject="One", description="Three", tags=["a"])
    assert facts == [Updated(at=NOW, description="Three")]
    assert facts[0].model_fields_set == {"at", "description"}


def test_said_twice_it_is_recorded_once() -> None:
    change: dict[str, Any] = {
        "type": "demo",
        "subject": "Another",
        "description": "New",
        "activityable_type": "opportunity",
        "activityable_id": "o-1",
        "contact_id": "p-1",
        "assigned_user_id": "u-2",
        "due_at": DUE.isoformat(),
        "duration_minutes": 20,
        "priority": "low",
        "location": "Linz",
        "reminder_at": REMINDER.isoformat(),
        "follow_up_date": "2026-04-01",
        "tags": ["a", "b"],
        "custom_fields": {"a": {"b": [1, 2.5, None, True]}},
        "is_billable": True,
        "billable_rate": 10.5,
        "participants": ["u-3", {"kind": "external", "email": "k@example.com"}],
        "attachment_urls": ["https://example.com/a"],
    }
    activity = given(created())
    once = then(activity, patched(activity, **change))
    assert patched(once, **change) == []


def test_what_is_absent_stays_and_null_clears() -> None:
    full = given(
        created(
            description="Text",
            contact_id="p-1",
            duration_minutes=30,
            location="Linz",
            reminder_at=REMINDER,
            follow_up_required=True,
            follow_up_date="2026-04-01",
            tags=["a"],
            custom_fields={"a": 1},
            is_billable=True,
            billable_rate="10.00",
            currency="EUR",
            attachment_urls=["https://example.com/a"],
            participants=[{"kind": "user", "id": "u-2"}],
        )
    )
    assert patched(full) == []
    cleared = then(
        full,
        patched(
            full,
            description=None,
            contact_id=None,
            duration_minutes=None,
            location=None,
            reminder_at=None,
            follow_up_date=None,
            follow_up_required=None,
            tags=None,
            custom_fields=None,
            is_billable=None,
            billable_rate=None,
            currency=None,
            attachment_urls=None,
            participants=None,
        ),
    )
    empty = given(created())
    assert cleared == empty._replace(version=cleared.version, updated_at=cleared.updated_at)


def test_tags_are_replaced() -> None:
    activity = given(created(tags=["a", "b"]))
    assert then(activity, patched(activity, tags=["c", "a"])).tags == ("c", "a")


def test_the_order_of_tags_is_kept_and_a_new_order_is_a_change() -> None:
    activity = given(created(tags=["a", "b"]))
    assert then(activity, patched(activity, tags=["b", "a", "b"])).tags == ("b", "a")


def test_a_custom_field_that_was_true_and_becomes_1_is_a_change() -> None:
    activity = given(created(custom_fields={"a": True}))
    after = then(activity, patched(activity, custom_fields={"a": 1}))
    assert after.custom_fields["a"] is not True


def test_the_order_of_custom_fields_is_no_change() -> None:
    activity = given(created(custom_fields={"a": 1, "b": 2}))
    assert patched(activity, custom_fields={"b": 2, "a": 1}) == []


def test_a_follow_up_date_implies_the_follow_up_and_no_follow_up_has_no_date() -> None:
    activity = given(created())
    planned = then(activity, patched(activity, follow_up_date="2026-04-01"))
    assert planned.follow_up_required
    given_up = then(planned, patched(planned, follow_up_required=False))
    assert (given_up.follow_up_required, given_up.follow_up_date) == (False, None)


def test_a_rate_brings_the_organisations_currency_unless_there_is_one() -> None:
    without = given(created())
    assert then(without, patched(without, billable_rate=10)).currency == "USD"
    in_euro = given(created(billable_rate="5.00", currency="EUR"))
    assert then(in_euro, patched(in_euro, billable_rate=10)).currency == "EUR"


class TestNotesOnWhatIsCompleted:
    @pytest.mark.parametrize(
        ("field", "value"),
        [("description", "A note"), ("outcome", "They agreed."), ("tags", ["a", "b"]), ("description", None)],
    )
    def test_are_taken(self, field: str, value: Any) -> None:
        activity = given(created(description="Before"), completed())
        after = then(activity, patched(activity, **{field: value}))
        assert getattr(after, field) == (tuple(value) if isinstance(value, list) else value)
        assert after.status == "completed"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("type", "demo"),
            ("subject", "Another"),
            ("activityable_id", "c-2"),
            ("activityable_type", "lead"),
            ("contact_id", "p-1"),
            ("assigned_user_id", "u-2"),
            ("due_at", DUE.isoformat()),
            ("duration_minutes", 5),
            ("priority", "high"),
            ("location", "Linz"),
            ("reminder_at", REMINDER.isoformat()),
            ("follow_up_required", True),
            ("follow_up_date", "2026-04-01"),
            ("follow_up_of_id", "01JFJ0000000000000000000BB"),
            ("custom_fields", {"a": 1}),
            ("is_billable", True),
            ("billable_rate", 10),
            ("currency", "EUR"),
            ("participants", ["u-2"]),
            ("attachment_urls", ["https://example.com/a"]),
        ],
    )
    def test_are_all_that_is_taken(self, field: str, value: Any) -> None:
        activity = given(created(), completed())
        with pytest.raises(NotesOnly) as refusal:
            patched(activity, **{field: value, "description": "A note"})
        assert field in refusal.value.message
        assert set(refusal.value.allowed_actions) == {"update", "delete"}

    def test_may_come_with_everything_else_as_it_is(self) -> None:
        activity = given(created(duration_minutes=30, due_at=DUE), completed())
        facts = patched(
            activity,
            description="A note",
            subject=activity.subject,
            duration_minutes=30,
            due_at=DUE.isoformat(),
            status="completed",
        )
        assert facts == [Updated(at=NOW, description="A note")]


@pytest.mark.parametrize("facts", [[waited()], [started(), waited()], [cancelled()]], ids=str)
def test_where_no_update_is_allowed_nothing_is_changed(facts: list[Any]) -> None:
    with pytest.raises(NotAllowed):
        patched(given(created(), *facts), description="A note")


def test_a_completion_date_needs_a_patch_that_completes() -> None:
    for activity in (GIVEN["pending"], GIVEN["completed"]):
        with pytest.raises(Invalid) as refusal:
            patched(activity, completed_at=BEFORE.isoformat())
        assert refusal.value.field == "completed_at"


def test_a_refused_change_refuses_all_the_others_with_it() -> None:
    with pytest.raises(NotAllowed):
        patched(GIVEN["in_progress"], subject="Another", status="pending")


def test_what_is_deleted_cannot_be_changed() -> None:
    with pytest.raises(Unknown):
        patched(given(created(), deleted()), subject="Another")


def test_an_activity_cannot_follow_itself_up() -> None:
    activity = given(created(id="01JFJ0000000000000000000AA"))
    for own in (activity.id, activity.id.lower()):
        with pytest.raises(Invalid, match="itself") as refused:
            update(activity, ActivityChanges(follow_up_of_id=own), currency="USD", now=NOW)
        assert refused.value.field == "follow_up_of_id"
