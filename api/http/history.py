"""GET /activities/{id}/history and /activities/{id}/diff: what happened to an activity, and how two moments differ."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.http.activity_diff import DiffParameters, diff_told
from api.http.chapters import actors_of
from api.http.envelope import enveloped, ok
from api.http.histories import chapters_of, told
from api.http.reading import Asking, Asks, lag
from api.http.strict_route import StrictRoute
from application.activity.commands import key_or_none
from application.history.chronicle import Chapter
from domain.activity.activity import Activity
from domain.refusals import Unknown
from projections.resource import to_json

router = APIRouter(route_class=StrictRoute, tags=["activities"])
Reads = Annotated[Asking, Depends(Asks("activities:read"))]


@router.get("/activities/{activity_id}/history", name="get_activity_history")
async def get_history(activity_id: str, ask: Reads) -> Response:
    """Every fact of the activity, the oldest first: who, when, by which command, and what it changed."""
    return await told(ask, await _chapters(activity_id, ask), "Activity history retrieved successfully")


@router.get("/activities/{activity_id}/diff", name="get_activity_diff")
async def get_diff(activity_id: str, ask: Reads, wanted: Annotated[DiffParameters, Query()]) -> Response:
    """How the activity differs between two moments: field by field, with the facts that made it so."""
    chapters = await _chapters(activity_id, ask)
    known = await ask.ask(actors_of(ask.organization_id, chapters))
    said = await asyncio.to_thread(diff_told, chapters, wanted, dict(known.rows))
    return ok(enveloped("Activity differences retrieved successfully", to_json(said)), lag(known.behind))


async def _chapters(activity_id: str, ask: Asking) -> list[Chapter]:
    """The activity's whole story. Of deleted activities it is for auditors; for others they are unknown."""
    key = key_or_none(activity_id)
    chapters = [] if key is None else await chapters_of(ask, key)
    state = chapters[-1].after if chapters else None
    if not isinstance(state, Activity):
        raise Unknown("Activity")
    if state.deleted_at is not None and "audit:read" not in ask.caller.scopes:
        raise Unknown("Activity")
    return chapters
