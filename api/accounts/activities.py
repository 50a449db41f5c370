"""/v1/accounts/activities: list, create, read, change, delete, and take an attachment off."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.accounts.bodies import AccountActivityChanges, AccountListParameters, NewAccountActivity
from api.accounts.callers import ActivityId, GivenId, Reads, Writes, which
from api.accounts.resource import account_answer, of_row
from api.accounts.routing import AccountRoute
from api.http.envelope import enveloped, ok
from api.http.reading import lag
from application.activity.accounts import AccountCommand, of_an_account
from application.activity.create_for_account import CreateForAccount, create_for_account
from application.activity.delete_activity import delete_activity
from application.activity.remove_attachment import RemoveAttachment, remove_attachment
from application.activity.update_for_account import UpdateForAccount, update_for_account
from domain.refusals import Unknown
from projections.activity_list.by_account import activities_of_accounts, activity_of_an_account
from projections.resource import to_json

router = APIRouter(route_class=AccountRoute, tags=["accounts"], prefix="/activities")


@router.get("")
async def list_account_activities(ask: Reads, wanted: Annotated[AccountListParameters, Query()]) -> Response:
    """Activities of one account, or of all: the latest first."""
    listing = activities_of_accounts(ask.organization_id, wanted.filter())
    page = await ask.page(listing, wanted.place())
    items = [of_row(document, beside) for document, beside in zip(page.items, page.extras, strict=True)]
    meta = {"page": wanted.page, "limit": wanted.limit, "total": page.total}
    body = enveloped("Activities retrieved successfully", to_json(items), meta=meta)
    return ok(body, lag(page.behind))


@router.post("", status_code=201)
async def create_account_activity(body: NewAccountActivity, commands: Writes) -> Response:
    """Schedule an activity with an account, or log one that took place, or that did not."""
    command = CreateForAccount(
        new=body.new(), cancelled=body.cancelled, titled=body.subject is not None, **commands.who
    )
    answer = account_answer("Activity created successfully", 201)
    return await commands.serve(create_for_account, command, answer)


@router.get("/{activityId}")
async def get_account_activity(activity_id: GivenId, ask: Reads) -> Response:
    """One activity, by its numeric id or its ULID."""
    found = await ask.ask(activity_of_an_account(ask.organization_id, which(activity_id)))
    if not found.rows:
        raise Unknown("Activity")
    document, *beside, version = found.rows[0]
    shown = to_json(of_row(document, beside)).decode()
    return ask.one("Activity retrieved successfully", shown, version, found.behind)


@router.put("/{activityId}")
async def update_account_activity(activity_id: ActivityId, body: AccountActivityChanges, commands: Writes) -> Response:
    """Change what is given; a status goes the way of the lifecycle."""
    command = UpdateForAccount(activity_id=activity_id, changes=body.changes(), timestamp=body.due_at, **commands.who)
    answer = account_answer("Activity updated successfully")
    return await commands.serve(of_an_account(update_for_account), command, answer)


@router.delete("/{activityId}")
async def delete_account_activity(activity_id: ActivityId, commands: Writes) -> Response:
    """Delete softly: gone from lists and GET, kept in history."""
    command = AccountCommand(activity_id=activity_id, **commands.who)
    answer = account_answer("Activity deleted successfully")
    return await commands.serve(of_an_account(delete_activity), command, answer)


@router.delete("/{activityId}/attachments/{n}")
async def remove_account_activity_attachment(activity_id: ActivityId, n: str, commands: Writes) -> Response:
    """Take one attachment off; the first is 0."""
    if not (n.isascii() and n.isdigit() and len(n) < 10):
        raise Unknown("Attachment")
    command = RemoveAttachment(activity_id=activity_id, place=int(n), **commands.who)
    answer = account_answer("Attachment removed successfully")
    return await commands.serve(of_an_account(remove_attachment), command, answer)
