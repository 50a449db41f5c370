"""POST /activities/bulk-actions: one action on up to 500 activities, with a result for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from api.http.bodies import Body, Cancellation, Nothing, Reason, Rescheduling
from api.http.commanding import Commanding, Commands
from api.http.envelope import enveloped
from api.http.problems import Problem, of_validation, shown_results
from api.http.strict_route import StrictRoute
from application.activity.bulk_action import BulkAction, Item, Result, bulk_action
from application.activity.cancel_activity import CancelActivity, cancel_activity
from application.activity.commands import ActivityCommand, key_or_none
from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.defer_activity import DeferActivity, defer_activity
from application.activity.delete_activity import DeleteActivity, delete_activity
from application.activity.reschedule_activity import RescheduleActivity, reschedule_activity
from application.activity.restore_activity import RestoreActivity, restore_activity
from application.activity.resume_activity import ResumeActivity, resume_activity
from application.activity.start_activity import StartActivity, start_activity
from application.activity.tag_activity import AddTags, RemoveTags, add_tags, remove_tags
from application.activity.update_activity import UpdateActivity, update_activity
from application.activity.wait_activity import WaitActivity, wait_activity
from application.command import Answer, Handler, Receipt
from domain.activity.drafts import ActivityChanges, Completion
from domain.values import Flag, Reference, Tags
from domain.vocabulary import Priority, Word
from projections.resource import to_json

router = APIRouter(route_class=StrictRoute, tags=["activities"])
Writes = Annotated[Commanding, Depends(Commands("activities:write"))]


class Assignment(Body):
    assigned_user_id: Reference


class Prioritisation(Body):
    priority: Priority


class Tagging(Body):
    tags: Tags


class BulkActionName(Word):
    CANCEL = "cancel"
    COMPLETE = "complete"
    RESCHEDULE = "reschedule"
    ASSIGN = "assign"
    SET_PRIORITY = "set_priority"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    START = "start"
    DEFER = "defer"
    WAIT = "wait"
    RESUME = "resume"
    DELETE = "delete"
    RESTORE = "restore"


class BulkRequest(Body):
    """Source: SynthesQ guide, "Too Many Overdue Activities". Parameters are those of the single action."""

    action: BulkActionName
    activity_ids: Annotated[list[Reference], Field(min_length=1, max_length=500)]
    parameters: dict[str, Any] = {}
    atomic: Flag = Field(False, description="All or nothing")
    dry_run: Flag = Field(False, description="Say what would happen, and do nothing")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an action is done to one activity: what its parameters are, and the command they become."""

    parameters: type[BaseModel]
    command: type[ActivityCommand]
    handler: Handler

    def said(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        given = self.parameters.model_validate(parameters)
        if self.command is CompleteActivity:
            return {"completion": given}
        if self.command is UpdateActivity:
            return {"changes": ActivityChanges.model_construct(**dict(given))}
        said = dict(given)
        said.pop("reschedule", None)
        return said


RECIPES: Mapping[BulkActionName, Recipe] = {
    BulkActionName.CANCEL: Recipe(Cancellation, CancelActivity, cancel_activity),
    BulkActionName.COMPLETE: Recipe(Completion, CompleteActivity, complete_activity),
    BulkActionName.RESCHEDULE: Recipe(Rescheduling, RescheduleActivity, reschedule_activity),
    BulkActionName.ASSIGN: Recipe(Assignment, UpdateActivity, update_activity),
    BulkActionName.SET_PRIORITY: Recipe(Prioritisation, UpdateActivity, update_activity),
    BulkActionName.ADD_TAGS: Recipe(Tagging, AddTags, add_tags),
    BulkActionName.REMOVE_TAGS: Recipe(Tagging, RemoveTags, remove_tags),
    BulkActionName.START: Recipe(Nothing, StartActivity, start_activity),
    BulkActionName.DEFER: Recipe(Reason, DeferActivity, defer_activity),
    BulkActionName.WAIT: Recipe(Reason, WaitActivity, wait_activity),
    BulkActionName.RESUME: Recipe(Nothing, ResumeActivity, resume_activity),
    BulkActionName.DELETE: Recipe(Nothing, DeleteActivity, delete_activity),
    BulkActionName.RESTORE: Recipe(Nothing, RestoreActivity, restore_activity),
}


@router.post("/activities/bulk-actions", name="run_bulk_action")
async def bulk_actions(body: BulkRequest, commands: Writes) -> Response:
    """Do one thing to many activities. 200 when all went well, 207 when any did not, 409 when atomic and refused."""
    recipe = RECIPES[body.action]
    try:
        said = recipe.said(body.parameters)
    except ValidationError as error:
        raise _within_parameters(error) from None
    who = commands.who | {"retry_key": None, "expected_version": None}
    items = [_item(one, recipe, said, who) for one in _once_each(body.activity_ids)]
    command = BulkAction(items=items, handler=recipe.handler, atomic=body.atomic, dry_run=body.dry_run, **commands.who)
    return await commands.serve(bulk_action, command, _answer(body.dry_run))


def _within_parameters(error: ValidationError) -> Problem:
    inner = error.errors(include_input=False, include_url=False)
    return of_validation([{**one, "loc": ("parameters", *one["loc"])} for one in inner])


def _once_each(ids: list[str]) -> list[str]:
    """Each activity once, by the id it was first named with."""
    return list({key_or_none(one) or one: one for one in reversed(ids)}.values())[::-1]


def _item(one: str, recipe: Recipe, said: dict[str, Any], who: dict[str, Any]) -> Item:
    if key_or_none(one) is None:
        return Item(one, None)
    return Item(one, recipe.command(activity_id=one.upper(), **said, **who))


def _answer(dry_run: bool) -> Any:
    def answer(receipt: Receipt) -> Answer:
        results: list[Result] = receipt.details["results"]
        succeeded = sum(result.refusal is None for result in results)
        failed = len(results) - succeeded
        data = {"results": shown_results(results), "succeeded": succeeded, "failed": failed, "dry_run": dry_run}
        message = f"Bulk action {'tried' if dry_run else 'performed'}: {succeeded} of {len(results)}"
        return Answer(207 if failed else 200, enveloped(message, to_json(data)))

    return answer
