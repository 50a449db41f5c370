"""What may be said, at its limits and one past them."""

from collections.abc import Callable
from typing import Any

import pytest
from given import new
from pydantic import ValidationError

from domain.activity.drafts import ActivityChanges, Completion, NewActivity
from domain.record.drafts import DRAFTS
from domain.vocabulary import ActivityType, Priority, RecordKind, RelatedType, Status

KIB = 1024
MINUTES_A_YEAR = 525_600

WITHIN: list[tuple[str, Any]] = [
    ("subject", "x" * 255),
    ("subject", "  " + "x" * 255 + "\n"),
    ("description", "x" * 32 * KIB),
    ("description", ""),
    ("description", "tab\tand\r\nline ends"),
    ("location", "x" * 255),
    ("activityable_id", "x"),
    ("activityable_id", "x" * 64),
    ("contact_id", "Gärtnerei / 7 % ?"),
    ("tags", [f"t{n}" for n in range(50)]),
    ("tags", ["x" * 64]),
    ("tags", ["same"] * 1000),
    ("duration_minutes", 0),
    ("duration_minutes", MINUTES_A_YEAR),
    ("duration_minutes", 30.0),
    ("billable_rate", 0),
    ("billable_rate", 9999999999.99),
    ("billable_rate", 0.01),
    ("custom_fields", {f"k{n}": n for n in range(100)}),
    ("custom_fields", {"k": "x" * (16 * KIB - len('{"k":""}'))}),
    ("custom_fields", {"k": "ä" * ((16 * KIB - len('{"k":""}')) // 2)}),
    ("participants", [f"u-{n}" for n in range(200)]),
    ("participants", [{"kind": "external", "name": "Gärtnerei", "role": "informed", "rsvp": "tentative"}]),
    ("participants", [{"kind": "EXTERNAL", "role": "Required", "rsvp": "Needs_Action"}]),
    ("attachment_urls", [f"https://example.com/{n}" for n in range(50)]),
    ("attachment_urls", ["HTTP://example.com/a?b=c#d"]),
    ("currency", "EUR"),
    ("due_at", "9999-12-31T23:59:59.999999Z"),
    ("due_at", "0001-01-01T00:00:00Z"),
    ("due_at", "0001-01-01T00:00:00-12:00"),
    ("due_at", "9999-12-31T23:59:59+14:00"),
    ("due_at", "2025-12-20t14:00:00z"),
    ("follow_up_date", "2025-12-23"),
    ("follow_up_date", "9999-12-31"),
]

BEYOND: list[tuple[str, Any]] = [
    ("subject", "x" * 256),
    ("subject", ""),
    ("subject", " \t\n"),
    ("subject", None),
    ("subject", 7),
    ("description", "x" * (32 * KIB + 1)),
    ("location", "x" * 256),
    ("activityable_id", ""),
    ("activityable_id", "x" * 65),
    ("activityable_id", 7),
    ("contact_id", "x" * 65),
    ("assigned_user_id", ""),
    ("tags", [f"t{n}" for n in range(51)]),
    ("tags", ["x" * 65]),
    ("tags", [""]),
    ("tags", [" "]),
    ("tags", "a,b"),
    ("tags", [1]),
    ("duration_minutes", -1),
    ("duration_minutes", MINUTES_A_YEAR + 1),
    ("duration_minutes", 30.5),
    ("duration_minutes", "30"),
    ("duration_minutes", True),
    ("billable_rate", -0.01),
    ("billable_rate", 10000000000),
    ("billable_rate", 0.001),
    ("billable_rate", "10"),
    ("billable_rate", True),
    ("custom_fields", {f"k{n}": n for n in range(101)}),
    ("custom_fields", {"k": "x" * (16 * KIB - len('{"k":""}') + 1)}),
    ("custom_fields", {"k": "ä" * ((16 * KIB - len('{"k":""}')) // 2 + 1)}),
    ("custom_fields", []),
    ("participants", [f"u-{n}" for n in range(201)]),
    ("participants", [{"kind": "robot", "id": "u-1"}]),
    ("participants", [{"role": "boss", "id": "u-1"}]),
    ("participants", [{"rsvp": "perhaps", "id": "u-1"}]),
    ("participants", [{"attended": "yes", "id": "u-1"}]),
    ("participants", [{"id": "u-1", "age": 7}]),
    ("participants", [7]),
    ("attachment_urls", [f"https://example.com/{n}" for n in range(51)]),
    ("attachment_urls", ["ftp://example.com/a"]),
    ("attachment_urls", ["javascript:alert(1)"]),
    ("attachment_urls", ["https://user:secret@example.com/a"]),
    ("attachment_urls", ["https:///a"]),
    ("attachment_urls", ["https://example.com/a b"]),
    ("currency", "eur"),
    ("currency", "EURO"),
    ("is_billable", "true"),
    ("is_billable", 1),
    ("type", "party"),
    ("type", 7),
    ("priority", "highest"),
    ("status", "overdue"),
    ("activityable_type", "user"),
    ("due_at", "2025-12-20T14:00:00"),
    ("due_at", "2025-12-20"),
    ("due_at", "1734706800"),
    ("due_at", "1734706800.5"),
    ("due_at", 1734706800),
    ("due_at", "next week"),
    ("due_at", "9999-12-31T23:59:59-12:00"),
    ("due_at", "0001-01-01T00:00:00+14:00"),
    ("due_at", "10000-01-01T00:00:00Z"),
    ("due_at", "2025-02-29T00:00:00Z"),
    ("follow_up_date", "2025-12-23T00:00:00Z"),
    ("follow_up_date", "1734652800"),
    ("follow_up_date", "20251223"),
    ("follow_up_date", "2025-02-29"),
    ("follow_up_date", 1734652800),
]


def shortened(value: Any) -> str:
    return str(value)[:30]


@pytest.mark.parametrize(("field", "value"), WITHIN, ids=shortened)
def test_what_lies_within_the_limits_is_taken(field: str, value: Any) -> None:
    said = getattr(new(**{field: value}), field)
    assert said is not None
    assert getattr(ActivityChanges.model_validate({field: value}), field) == said


@pytest.mark.parametrize(("field", "value"), BEYOND, ids=shortened)
@pytest.mark.parametrize("say", [new, lambda **f: ActivityChanges.model_validate(f)], ids=["new", "change"])
def test_what_lies_beyond_them_is_refused_naming_the_field(say: Callable[..., Any], field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        say(**{field: value})
    assert {error["loc"][0] for error in refusal.value.errors()} == {field}


REFUSED_SIGNS = [
    *(chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"),
    *(chr(code) for code in range(0x7F, 0xA0)),
    "\ud800",
    "\udfff",
]
PLACES: dict[str, Callable[[str], Any]] = {
    "subject": lambda text: text,
    "description": lambda text: text,
    "location": lambda text: text,
    "contact_id": lambda text: text,
    "tags": lambda text: [text],
    "custom_fields": lambda text: {"a": [{"b": text}]},
    "participants": lambda text: [{"name": text}],
    "attachment_urls": lambda text: [f"https://example.com/{text}"],
}


@pytest.mark.parametrize("field", PLACES)
def test_control_characters_and_lone_surrogates_are_refused_wherever_text_is_said(field: str) -> None:
    assert new(**{field: PLACES[field]("plain")})
    for sign in REFUSED_SIGNS:
        with pytest.raises(ValidationError):
            new(**{field: PLACES[field](f"a{sign}b")})


def test_the_keys_of_custom_fields_are_text_too() -> None:
    for sign in REFUSED_SIGNS:
        with pytest.raises(ValidationError):
            new(custom_fields={"a": {f"k{sign}": 1}})


def test_every_other_sign_is_kept_as_it_is() -> None:
    text = "Gärtnerei \U0001f600 \u202e עברית \ufeff\uffff\u2028 tab\tline\r\nend"
    assert new(description=text).description == text


def test_subjects_are_trimmed_and_other_texts_are_not() -> None:
    said = new(subject="  Call \n", description="  Call \n", tags=[" a "])
    assert (said.subject, said.description, said.tags) == ("Call", "  Call \n", ["a"])


def test_doubled_tags_fold_and_their_order_is_kept() -> None:
    assert new(tags=["b", "a", "b", " a", "A"]).tags == ["b", "a", "A"]


@pytest.mark.parametrize(
    ("field", "words"),
    [("type", ActivityType), ("priority", Priority), ("activityable_type", RelatedType), ("status", Status)],
)
def test_words_are_read_in_any_case(field: str, words: type[ActivityType]) -> None:
    for word in words:
        for said in (word.value, word.value.upper(), word.value.title()):
            assert getattr(new(**{field: said}), field) is word


def test_the_vocabulary_is_complete() -> None:
    assert set(ActivityType) == set(
        (
            "call email meeting task note demo presentation proposal follow_up quote contract appointment visit "
            "webinar training support escalation research other chat review"
        ).split()
    )
    assert set(Status) == set("pending in_progress completed cancelled deferred waiting".split())
    assert sorted(Priority, key=lambda p: p.rank) == "low medium high urgent critical".split()
    assert set(RelatedType) == set("lead customer opportunity contact account".split())


def test_a_plain_id_is_a_user_that_takes_part() -> None:
    [one] = new(participants=["u-2"]).participants
    assert one.model_dump(exclude_none=True) == {"kind": "user", "id": "u-2"}


@pytest.mark.parametrize("draft", [NewActivity, ActivityChanges, Completion, *DRAFTS.values()])
def test_unknown_words_and_those_the_service_owns_are_refused_by_name(draft: type[Any]) -> None:
    for field in ("surprise", "id", "version", "created_at", "updated_at", "organization_id"):
        with pytest.raises(ValidationError) as refusal:
            draft.model_validate({field: "x"})
        assert (field,) in {error["loc"] for error in refusal.value.errors()}


class TestRecords:
    @pytest.mark.parametrize(
        ("kind", "field", "value"),
        [
            ("opportunity", "value", 9999999999.99),
            ("opportunity", "probability", 0),
            ("opportunity", "probability", 100),
            ("opportunity", "expected_close_date", "2026-02-28"),
            ("customer", "status", "AT_RISK"),
            ("user", "time_zone", "Europe/Vienna"),
            ("lead", "notes", "x" * 32 * KIB),
        ],
    )
    def test_take_what_lies_within(self, kind: str, field: str, value: Any) -> None:
        said = DRAFTS[RecordKind(kind)].model_validate({field: value}).said()
        assert said.keys() == {field}

    @pytest.mark.parametrize(
        ("kind", "field", "value"),
        [
            ("opportunity", "value", 10000000000),
            ("opportunity", "value", 0.001),
            ("opportunity", "probability", 101),
            ("opportunity", "probability", -1),
            ("opportunity", "probability", 40.5),
            ("opportunity", "expected_close_date", "soon"),
            ("customer", "status", "asleep"),
            ("customer", "stage", "proposal"),
            ("user", "time_zone", "Vienna"),
            ("lead", "notes", "x" * (32 * KIB + 1)),
            ("account", "name", " "),
            ("account", "name", None),
            ("contact", "customer_id", "x" * 65),
            ("contact", "attributes", {"k": "\x00"}),
        ],
    )
    def test_refuse_what_does_not(self, kind: str, field: str, value: Any) -> None:
        with pytest.raises(ValidationError) as refusal:
            DRAFTS[RecordKind(kind)].model_validate({field: value})
        assert {error["loc"][0] for error in refusal.value.errors()} == {field}
