"""The stock service put together: plain `def` routes, as the library is synchronous."""

from typing import Any
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError
from fastapi import APIRouter, FastAPI, HTTPException, Request

from api.http.bodies import Rescheduling
from benchmarks.peers.identity import Who
from benchmarks.peers.stock.domain import Activities, Activity, NotAllowed, shown
from benchmarks.peers.stock.environment import environment, view_of
from benchmarks.peers.stock.view import ActivityView
from domain.activity.drafts import ActivityChanges, Completion, NewActivity

router = APIRouter(prefix="/api/v1/crm/activities")


def create_app() -> FastAPI:
    app = FastAPI()
    app.state.activities = Activities(environment())
    app.state.view = view_of(environment())
    app.include_router(router)
    return app


@router.post("", status_code=201)
def create(body: NewActivity, who: Who, request: Request) -> dict[str, Any]:
    activity = Activity(who.organization_id, who.user_id, _json(body))
    return _saved(request, activity, "Activity created successfully")


@router.post("/{activity_id}/reschedule")
def reschedule(activity_id: UUID, body: Rescheduling, who: Who, request: Request) -> dict[str, Any]:
    activity = _known(request, who, activity_id)
    _refusing(activity.reschedule, body.new_due_at, body.new_due_at, body.reason)
    return _saved(request, activity, "Activity rescheduled successfully")


@router.post("/{activity_id}/complete")
def complete(activity_id: UUID, body: Completion, who: Who, request: Request) -> dict[str, Any]:
    activity = _known(request, who, activity_id)
    _refusing(activity.complete, _json(body))
    return _saved(request, activity, "Activity completed successfully")


@router.patch("/{activity_id}")
def patch(activity_id: UUID, body: ActivityChanges, who: Who, request: Request) -> dict[str, Any]:
    activity = _known(request, who, activity_id)
    _refusing(activity.update, _json(body))
    return _saved(request, activity, "Activity updated successfully")


@router.get("/{activity_id}")
def get(activity_id: UUID, who: Who, request: Request) -> dict[str, Any]:
    view: ActivityView = request.app.state.view
    document = view.document(activity_id, who.organization_id)
    if document is None:
        raise HTTPException(404, "Activity not found")
    return _answer("Activity retrieved successfully", document)


def _known(request: Request, who: Who, activity_id: UUID) -> Activity:
    activities: Activities = request.app.state.activities
    try:
        activity: Activity = activities.repository.get(activity_id)
    except AggregateNotFoundError:
        raise HTTPException(404, "Activity not found") from None
    if activity.organization_id != who.organization_id:
        raise HTTPException(404, "Activity not found")
    return activity


def _refusing(action: Any, *said: Any) -> None:
    try:
        action(*said)
    except NotAllowed as refusal:
        raise HTTPException(409, f"{refusal} is not allowed") from None


def _saved(request: Request, activity: Activity, message: str) -> dict[str, Any]:
    activities: Activities = request.app.state.activities
    activities.save(activity)
    return _answer(message, shown(activity))


def _answer(message: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "message": message, "data": data}


def _json(body: NewActivity | ActivityChanges | Completion) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude_unset=True)
