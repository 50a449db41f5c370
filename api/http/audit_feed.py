"""What auditors ask of an organisation's log: all of it from a position on, as pages or as it is recorded."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.http.audit_parameters import FeedParameters, position_of
from api.http.envelope import enveloped, ok
from api.http.feed_stream import FeedStream
from api.http.reading import Asking, Asks
from api.http.strict_route import StrictRoute
from application.history.feed import FEED, Entry, Stretch, stretch_of
from projections.reading import Question
from projections.resource import to_json

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = "last-event-id"
STREAMED = 200
"""Entries a stream reads at a time."""

router = APIRouter(route_class=StrictRoute, tags=["audit"])
Audits = Annotated[Asking, Depends(Asks("audit:read"))]


@router.get("/audit/events")
async def list_audit_events(request: Request, ask: Audits, wanted: Annotated[FeedParameters, Query()]) -> Response:
    """The organisation's log after a position, in order, none left out: as a page of JSON, or, where
    `Accept: text/event-stream` asks for it, as server-sent events that go on as more is recorded.
    """
    after, last_event_id = wanted.position(), position_of(LAST_EVENT_ID, request.headers.get(LAST_EVENT_ID))
    if any(EVENT_STREAM in accepted for accepted in request.headers.getlist("accept")):
        start = after if last_event_id is None else last_event_id
        return FeedStream(ask, request, start, read=_stretch, told=lambda entry: to_json(entry_told(entry)))
    stretch = await _stretch(ask, after, wanted.limit)
    reached = stretch.reaches(after)
    meta = {
        "limit": wanted.limit,
        "position": reached,
        "head": stretch.head,
        "next_cursor": str(reached) if reached < stretch.head else None,
    }
    told = to_json([entry_told(entry) for entry in stretch.entries])
    return ok(enveloped("Audit events retrieved successfully", told, meta=meta))


async def _stretch(ask: Asking, after: int, limit: int = STREAMED) -> Stretch:
    parameters = {"organization_id": ask.organization_id, "after": after, "limit": limit}
    return stretch_of((await ask.ask(Question((), FEED, parameters))).rows)


def entry_told(entry: Entry) -> dict[str, Any]:
    return {
        **placed(entry),
        "stream_id": entry.stream_id,
        "actor_id": entry.metadata.get("actor"),
        "data": entry.data,
    }


def placed(entry: Entry) -> dict[str, Any]:
    """What is told of every entry of the log: where it stands, what it happened to, when, by which command."""
    return {
        "position": entry.position,
        "kind": entry.kind,
        "id": entry.id,
        "record_kind": entry.record_kind,
        "version": entry.version,
        "type": entry.type,
        "recorded_at": entry.recorded_at,
        "happened_at": entry.happened_at,
        "client": entry.metadata.get("client"),
        "command_id": entry.metadata.get("command_id"),
    }
