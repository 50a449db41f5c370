"""Commands on activities: create, change, and the actions of the lifecycle."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.http.answers import activity_answer
from api.http.bodies import Cancellation, Nothing, Reason, Rescheduling
from api.http.commanding import Commanding, Commands
from api.http.strict_route import StrictRoute
from application.activity.cancel_activity import CancelActivity, cancel_activity
from application.activity.commands import key_or_none
from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.create_activity import CreateActivity, create_activity
from application.activity.defer_activity import DeferActivity, defer_activity
from application.activity.delete_activity import DeleteActivity, delete_activity
from application.activity.recreate_activity import RecreateActivity, recreate_activity
from application.activity.reschedule_activity import RescheduleActivity, reschedule_activity
from application.activity.restore_activity import RestoreActivity, restore_activity
from application.activity.resume_activity import ResumeActivity, resume_activity
from application.activity.start_activity import StartActivity, start_activity
from application.activity.update_activity import UpdateActivity, update_activity
from application.activity.wait_activity import WaitActivity, wait_activity
from domain.activity.drafts import ActivityChanges, Completion, NewActivity, Recreation
from domain.refusals import Unknown

router = APIRouter(route_class=StrictRoute, tags=["activities"], prefix="/activities")
Writes = Annotated[Commanding, Depends(Commands("activities:write"))]


async def _known(activity_id: str, commands: Writes) -> str:
    """Ids are ULIDs in either case; what is none cannot be known. But first of all: who asks?"""
    if key_or_none(activity_id) is None:
        raise Unknown("Activity")
    return activity_id.upper()


ActivityId = Annotated[str, Depends(_known)]


@router.post("", status_code=201, name="create_activity")
async def create(body: NewActivity, commands: Writes) -> Response:
    """Create an activity: scheduled, begun, or logged as already completed."""
    command = CreateActivity(new=body, **commands.who)
    answer = activity_answer("Activity created successfully", 201)
    return await commands.serve(create_activity, command, answer)


async def _update(activity_id: str, body: ActivityChanges, commands: Commanding) -> Response:
    command = UpdateActivity(activity_id=activity_id, changes=body, **commands.who)
    return await commands.serve(update_activity, command, activity_answer("Activity updated successfully"))


@router.patch("/{activity_id}", name="update_activity")
async def patch(activity_id: ActivityId, body: ActivityChanges, commands: Writes) -> Response:
    """Change some fields; null clears a field that can be empty, absent leaves it."""
    return await _update(activity_id, body, commands)


@router.put("/{activity_id}", name="put_activity")
async def put(activity_id: ActivityId, body: ActivityChanges, commands: Writes) -> Response:
    """The same as PATCH: partial."""
    return await _update(activity_id, body, commands)


@router.post("/{activity_id}/complete", name="complete_activity")
async def complete(activity_id: ActivityId, commands: Writes, body: Completion | None = None) -> Response:
    """Mark as complete; say what was accomplished."""
    completion = body or Completion()
    command = CompleteActivity(activity_id=activity_id, completion=completion, **commands.who)
    return await commands.serve(complete_activity, command, activity_answer("Activity completed successfully"))


@router.post("/{activity_id}/cancel", name="cancel_activity")
async def cancel(activity_id: ActivityId, commands: Writes, body: Cancellation | None = None) -> Response:
    """Cancel, and with reschedule and reschedule_date create the successor in the same transaction."""
    said = body or Cancellation()
    command = CancelActivity(
        activity_id=activity_id, reason=said.reason, reschedule_date=said.reschedule_date, **commands.who
    )
    return await commands.serve(cancel_activity, command, activity_answer("Activity cancelled successfully"))


@router.post("/{activity_id}/reschedule", name="reschedule_activity")
async def reschedule(activity_id: ActivityId, body: Rescheduling, commands: Writes) -> Response:
    """Move the due date, and the reminder with the same lead time."""
    said: dict[str, Any] = dict(body)
    command = RescheduleActivity(activity_id=activity_id, **said, **commands.who)
    return await commands.serve(reschedule_activity, command, activity_answer("Activity rescheduled successfully"))


@router.post("/{activity_id}/start", name="start_activity")
async def start(activity_id: ActivityId, commands: Writes, body: Nothing | None = None) -> Response:
    """Begin to work on it."""
    command = StartActivity(activity_id=activity_id, **commands.who)
    return await commands.serve(start_activity, command, activity_answer("Activity started successfully"))


@router.post("/{activity_id}/defer", name="defer_activity")
async def defer(activity_id: ActivityId, commands: Writes, body: Reason | None = None) -> Response:
    """Park it on purpose."""
    reason = body.reason if body else None
    command = DeferActivity(activity_id=activity_id, reason=reason, **commands.who)
    return await commands.serve(defer_activity, command, activity_answer("Activity deferred successfully"))


@router.post("/{activity_id}/wait", name="wait_activity")
async def wait(activity_id: ActivityId, commands: Writes, body: Reason | None = None) -> Response:
    """Stop until something outside has happened."""
    reason = body.reason if body else None
    command = WaitActivity(activity_id=activity_id, reason=reason, **commands.who)
    return await commands.serve(wait_activity, command, activity_answer("Activity is waiting"))


@router.post("/{activity_id}/resume", name="resume_activity")
async def resume(activity_id: ActivityId, commands: Writes, body: Nothing | None = None) -> Response:
    """Go on: back in progress if it was ever started, else pending."""
    command = ResumeActivity(activity_id=activity_id, **commands.who)
    return await commands.serve(resume_activity, command, activity_answer("Activity resumed successfully"))


@router.post("/{activity_id}/recreate", status_code=201, name="recreate_activity")
async def recreate(activity_id: ActivityId, commands: Writes, body: Recreation | None = None) -> Response:
    """Make a new activity like this cancelled one, otherwise where the body says so."""
    changes = body or Recreation()
    command = RecreateActivity(activity_id=activity_id, changes=changes, **commands.who)
    answer = activity_answer("Activity recreated successfully", 201)
    return await commands.serve(recreate_activity, command, answer)


@router.post("/{activity_id}/restore", name="restore_activity")
async def restore(activity_id: ActivityId, commands: Writes, body: Nothing | None = None) -> Response:
    """Bring a deleted activity back as it was."""
    command = RestoreActivity(activity_id=activity_id, **commands.who)
    return await commands.serve(restore_activity, command, activity_answer("Activity restored successfully"))


@router.delete("/{activity_id}", name="delete_activity")
async def delete(activity_id: ActivityId, commands: Writes) -> Response:
    """Delete softly: gone from lists and GET, kept in history, restorable."""
    command = DeleteActivity(activity_id=activity_id, **commands.who)
    return await commands.serve(delete_activity, command, activity_answer("Activity deleted successfully"))
