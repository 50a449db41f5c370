"""What is shown of a state of any kind, field by field, and where two states differ."""

from typing import Any

from application.event_store.mapper import State
from domain.activity.activity import Activity
from domain.api_key.api_key import ApiKey
from domain.record.record import Record
from domain.values import same
from projections.resource import NOT_SHOWN, shown_fields

_FOLLOWS = {"version", "updated_at", "allowed_actions", "duration_minutes"}
"""Fields that follow from the others: a change of theirs would say everything twice."""
_KEPT_BACK = {"secret_hmac"}
"""What an API key is recognised by is nobody's to see."""
_OF_ACTIVITIES = tuple(name for name in Activity._fields if name not in _FOLLOWS | NOT_SHOWN)


def told_fields(state: State | None) -> dict[str, Any]:
    """The fields somebody decided upon, as the resource names them. Nothing there: no fields."""
    if state is None:
        return {}
    return {name: value for name, value in _fields(state).items() if name not in _FOLLOWS | _KEPT_BACK}


def differences(before: State | None, after: State | None) -> dict[str, dict[str, Any]]:
    """By field, what it was and what it became; what was not there, or is there no more, is null."""
    if isinstance(before, Activity) and isinstance(after, Activity):
        return _moved(before, after)
    was, became = told_fields(before), told_fields(after)
    return {
        name: {"before": was.get(name), "after": became.get(name)}
        for name in (became | was)
        if not same(was.get(name), became.get(name))
    }


def _moved(before: Activity, after: Activity) -> dict[str, dict[str, Any]]:
    """The same of two states of an activity. A field no fact in between was about is the same object in both."""
    return {
        name: {"before": was, "after": became}
        for name, was, became in zip(Activity._fields, before, after, strict=True)
        if was is not became and name in _OF_ACTIVITIES and not same(was, became)
    }


def _fields(state: State) -> dict[str, Any]:
    if isinstance(state, Activity):
        return {name: getattr(state, name) for name in _OF_ACTIVITIES}
    if isinstance(state, Record):
        head = {"id": state.id, "kind": state.kind, "created_at": state.created_at}
        return head | shown_fields(state)
    assert isinstance(state, ApiKey)
    return dict(state.__dict__)
