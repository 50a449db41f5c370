"""An activity as the world sees it: JSON made once from its state, completed with what depends on other things.

`document` depends on the activity alone, so it is stored. Names of related records and what depends on the time
of day are added when somebody asks: by `resource` from states in hand, by ADDED inside the database.
Both give the same JSON.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from domain.activity.activity import Activity
from domain.activity.events import Person
from domain.record.record import Record
from domain.vocabulary import CAN_BE_OVERDUE, RecordKind

NOT_SHOWN = {"follow_up_opened", "number"}
_LONG = {"notes", "attributes", "description", "discovery_notes"}
_SHORT = {RecordKind.CONTACT: ("email",), RecordKind.USER: ("email",)}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Person):
        return value.model_dump(exclude_none=True)
    raise TypeError(type(value))


def to_json(value: object) -> bytes:
    """JSON with instants in UTC with Z and money as numbers."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def fields_of(activity: Activity) -> dict[str, Any]:
    shown = activity._asdict()
    for name in NOT_SHOWN:
        del shown[name]
    shown["duration_minutes"] = activity.duration_minutes
    shown["allowed_actions"] = activity.allowed_actions
    return shown


def document(activity: Activity) -> bytes:
    """Everything that follows from the activity's own facts. `created_by` is added with the names of others."""
    fields = fields_of(activity)
    del fields["created_by"]
    return to_json(fields)


def is_overdue(activity: Activity, now: datetime) -> bool:
    return activity.status in CAN_BE_OVERDUE and activity.due_at is not None and activity.due_at < now


def summary(record: Record) -> dict[str, Any]:
    """A record in a few words: always embedded in the activities that refer to it."""
    short = {name: record.fields.get(name) for name in _SHORT.get(record.kind, ())}
    return {"id": record.id, "name": record.fields.get("name"), **short}


def details(record: Record) -> dict[str, Any]:
    """A record as embedded when includes ask for it: all but its long texts."""
    rich = {name: value for name, value in shown_fields(record).items() if name not in _LONG}
    return {**summary(record), **rich}


def shown_fields(record: Record) -> dict[str, Any]:
    """A record's fields with money as a number."""
    fields = dict(record.fields)
    if "value" in fields:
        fields["value"] = float(fields["value"])
    return fields


Find = Callable[[RecordKind | str, str | None], Record | None]


def resource(activity: Activity, record: Find, now: datetime) -> bytes:
    """The full resource. `record` finds a related record's state; an unknown one has no name."""
    related = record(activity.activityable_type, activity.activityable_id)
    contact = record(RecordKind.CONTACT, activity.contact_id)
    added = {
        "is_overdue": is_overdue(activity, now),
        "activityable": details(related) if related else {"id": activity.activityable_id, "name": None},
        "contact": _person(contact, activity.contact_id),
        "assigned_user": _person(record(RecordKind.USER, activity.assigned_user_id), activity.assigned_user_id),
        "created_by": _person(record(RecordKind.USER, activity.created_by), activity.created_by),
    }
    return document(activity)[:-1] + b"," + to_json(added)[1:]


def _person(record: Record | None, record_id: str | None) -> dict[str, Any] | None:
    if record_id is None:
        return None
    return details(record) if record else {"id": record_id, "name": None, "email": None}


ADDED = """',"is_overdue":' || coalesce(l.due_at < now() and l.status in ('pending', 'in_progress', 'waiting'), false)
 || ',"activityable":' || coalesce({related}, json_build_object('id', l.related_id, 'name', null)::text)
 || ',"contact":' || case when l.contact_id is null then 'null' else coalesce(
        {contact}, json_build_object('id', l.contact_id, 'name', null, 'email', null)::text) end
 || ',"assigned_user":' || coalesce(
        {assignee}, json_build_object('id', l.assigned_user_id, 'name', null, 'email', null)::text)
 || ',"created_by":' || coalesce(
        creator.summary, json_build_object('id', l.created_by, 'name', null, 'email', null)::text)"""
"""SQL of what is added to a document, from activity_list l and WITH_NAMES; choose summary or details of each."""

WITH_NAMES = """
  left join directory related on related.organization_id = l.organization_id and related.record_key = l.related_key
  left join directory contact on contact.organization_id = l.organization_id and contact.record_key = l.contact_key
  left join directory assignee on assignee.organization_id = l.organization_id and assignee.record_key = l.assignee_key
  left join directory creator on creator.organization_id = l.organization_id and creator.record_key = l.creator_key
"""

INCLUDES = {
    "assigneduser": "assignee",
    "assigned_user": "assignee",
    "contact": "contact",
    "activityable": "related",
}
"""What `includes` may name, in both spellings of the source, and whose details that adds."""


@lru_cache
def added_sql(includes: frozenset[str]) -> str:
    """ADDED with details of the included records and summaries of the others."""
    return ADDED.format(
        **{who: f"{who}.{'details' if who in includes else 'summary'}" for who in ("related", "contact", "assignee")}
    )


def completed(document: str, added: str) -> str:
    """The full resource of a stored document. Cutting the long texts here is cheaper than in the database."""
    return f"{document[:-1]}{added}}}"
