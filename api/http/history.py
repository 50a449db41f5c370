"""GET /activities/{id}/history, and the detail as of another time."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from api.http.envelope import enveloped, etag, ok
from api.http.histories import chapters_of, told
from api.http.reading import Asking, Asks
from api.http.strict_route import StrictRoute
from application.activity.commands import key_or_none
from application.event_store.mapper import State
from application.history.chronicle import STREAM, STREAMS, as_of, chronicle, latest
from application.streams import Streams, keys_around
from domain.activity.activity import Activity
from domain.refusals import Invalid, Unknown
from domain.values import Instant
from projections.reading import Found, Question
from projections.resource import resource

router = APIRouter(route_class=StrictRoute, tags=["activities"])
Reads = Annotated[Asking, Depends(Asks("activities:read"))]

_instant: TypeAdapter[datetime] = TypeAdapter(Instant)


@router.get("/activities/{activity_id}/history", name="get_activity_history")
async def get_history(activity_id: str, ask: Reads) -> Response:
    """Every fact of the activity, the oldest first: who, when, by which command, and what it changed."""
    chapters = await chapters_of(ask, _key(activity_id))
    _visible(chapters[-1].after if chapters else None, ask)
    return await told(ask, chapters, "Activity history retrieved successfully")


async def get_activity_as_of(activity_id: str, moment: str, ask: Asking) -> Response:
    """The activity as it was: at an instant of recording, or at a version."""
    when = moment_of(moment)
    found = await _stream(activity_id, ask)
    latest = [chapter.after for chapter in chronicle(found.rows)]
    _visible(latest[-1] if latest else None, ask)
    activity = as_of(found.rows, when)
    if not isinstance(activity, Activity) or activity.deleted_at is not None:
        raise Unknown("Activity")
    records = await _records_around(activity, ask)
    now = when if isinstance(when, datetime) else activity.updated_at
    body = enveloped("Activity retrieved successfully", resource(activity, records.record, now))
    return ok(body, {"ETag": etag(activity.version, body)})


def moment_of(said: str) -> datetime | int:
    """An instant, or a version as a whole number."""
    if said.isascii() and said.isdigit() and len(said) < 18:
        return int(said)
    try:
        return _instant.validate_python(said.replace(" ", "+"))
    except ValidationError:
        raise Invalid("as_of", "must be an instant such as 2025-12-20T14:00:00Z, or a version") from None


def _key(activity_id: str) -> UUID:
    key = key_or_none(activity_id)
    if key is None:
        raise Unknown("Activity")
    return key


async def _stream(activity_id: str, ask: Asking) -> Found:
    key = _key(activity_id)
    return await ask.ask(Question((), STREAM, {"organization_id": ask.organization_id, "key": key}))


def _visible(state: State | None, ask: Asking) -> None:
    """Deleted activities are for auditors; for others they are unknown."""
    if not isinstance(state, Activity):
        raise Unknown("Activity")
    if state.deleted_at is not None and "audit:read" not in ask.caller.scopes:
        raise Unknown("Activity")


async def _records_around(activity: Activity, ask: Asking) -> Streams:
    """The records the activity refers to, as their own facts tell them now."""
    wanted = {"organization_id": ask.organization_id, "keys": list(keys_around(activity))}
    found = await ask.ask(Question((), STREAMS, wanted))
    return Streams(latest(found.rows))
