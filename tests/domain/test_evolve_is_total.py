"""Evolution believes every fact: whatever follows a creation, in whatever order, leads to an activity."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from given import created, given
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from application.event_store.mapper import decode, encode
from domain.activity.activity import Activity, evolve
from domain.activity.events import ActivityEvent, Created, Fact, Updated
from domain.lifecycle import allowed_actions
from domain.vocabulary import ActivityType, Priority, RelatedType, Status

INSTANTS = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC))
TEXTS = st.text(max_size=20)
IDS = st.text(min_size=1, max_size=64)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
PEOPLE = st.fixed_dictionaries(
    {"kind": TEXTS}, optional={"id": IDS, "email": TEXTS, "name": TEXTS, "attended": st.booleans()}
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    datetime: INSTANTS,
    date: st.dates(),
    str: TEXTS,
    int: st.integers(0, 10**6),
    bool: st.booleans(),
    Decimal: st.decimals(0, 10**9, places=2),
    ActivityType: st.sampled_from(ActivityType),
    Priority: st.sampled_from(Priority),
    RelatedType: st.sampled_from(RelatedType),
    dict[str, Any]: st.dictionaries(TEXTS, JSON, max_size=3),
    tuple[int, ...]: st.lists(st.integers(0, 5), max_size=3),
    tuple[str, ...]: st.lists(TEXTS, max_size=3),
}


def without_null(annotation: Any) -> Any:
    return next(kind for kind in get_args(annotation) if kind is not type(None))


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in VALUES:
        return VALUES[annotation]
    if type(None) in get_args(annotation):
        return st.none() | values_of(without_null(annotation))
    return st.lists(PEOPLE, max_size=3)


CANNOT_BE_CLEARED = frozenset(
    "type subject activityable_type activityable_id assigned_user_id priority follow_up_required tags custom_fields "
    "is_billable participants attachment_urls".split()
)
"""Fields of an activity that always have a value: no decision ever makes them null."""


def facts_of(kind: type[Fact]) -> st.SearchStrategy[Fact]:
    """Any fact of a kind: required fields always, the others now and then."""
    fields = {name: values_of(field.annotation) for name, field in kind.model_fields.items()}
    if kind is Updated:
        for name in CANNOT_BE_CLEARED:
            fields[name] = values_of(without_null(kind.model_fields[name].annotation))
    needed = {name: fields.pop(name) for name, field in kind.model_fields.items() if field.is_required()}
    return st.fixed_dictionaries(needed, optional=fields).map(kind.model_validate)


KINDS: tuple[type[Fact], ...] = get_args(ActivityEvent)
FOLLOWING = st.one_of([facts_of(kind) for kind in KINDS if kind is not Created])
HISTORIES = st.lists(FOLLOWING, max_size=12)


@for_any(first=facts_of(Created), history=HISTORIES)
@settings(max_examples=150, deadline=None)
def test_any_facts_in_any_order_lead_to_an_activity(first: Any, history: list[Any]) -> None:
    activity: Activity | None = None
    for position, fact in enumerate([first, *history], start=1):
        activity = evolve(activity, fact, position)
        assert activity.version == position
        assert activity.updated_at == fact.at
        assert activity.status in Status
        assert activity.allowed_actions == allowed_actions(activity.status, deleted=activity.deleted_at is not None)
    assert activity is not None
    assert activity.number == 1


@for_any(first=facts_of(Created), history=HISTORIES)
@settings(max_examples=100, deadline=None)
def test_facts_read_back_from_the_log_lead_to_the_same_activity(first: Any, history: list[Any]) -> None:
    facts = [first, *history]
    read_back = [decode(fact.name, encode(fact)) for fact in facts]
    assert read_back == facts
    assert [fact.model_fields_set for fact in read_back] == [fact.model_fields_set for fact in facts]
    assert given(*read_back) == given(*facts)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Created])
@for_any(data=st.data())
@settings(max_examples=20, deadline=None)
def test_each_kind_of_fact_may_follow_a_creation(kind: type[Fact], data: st.DataObject) -> None:
    fact: Any = data.draw(facts_of(kind))
    assert given(created(), fact).version == 2


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Created])
@for_any(data=st.data())
@settings(max_examples=3, deadline=None)
def test_no_other_fact_can_be_the_first(kind: type[Fact], data: st.DataObject) -> None:
    fact: Any = data.draw(facts_of(kind))
    with pytest.raises(ValueError, match="cannot be the first"):
        evolve(None, fact, 1)
