"""API keys: made (shown once), listed, revoked."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.http.answers import api_key_answer
from api.http.commanding import Commanding, Commands
from api.http.parameters import PageParameters
from api.http.reading import Asking, Asks, paged
from api.http.strict_route import StrictRoute
from application.api_key.commands import CreateApiKey, RevokeApiKey, create_api_key, is_key_id, revoke_api_key
from application.api_key.receipt import MADE, receipt_again
from application.api_key.recognition import ApiKeys
from application.api_key.secrets import new_key, repeatable_key
from application.command import AUDIT_RECEIPT, RetryKey
from domain.api_key.drafts import NewApiKey
from domain.refusals import Invalid, Unknown
from projections.paging import Page
from projections.reading import Question, Reader
from projections.resource import to_json

router = APIRouter(route_class=StrictRoute, tags=["api keys"], prefix="/api-keys")
Reads = Annotated[Asking, Depends(Asks("admin"))]
Writes = Annotated[Commanding, Depends(Commands("admin"))]


async def _api_keys(request: Request) -> ApiKeys:
    keys: ApiKeys = request.app.state.api_keys
    return keys


Keys = Annotated[ApiKeys, Depends(_api_keys)]


@router.post("", status_code=201, name="create_api_key")
async def create(body: NewApiKey, request: Request, commands: Writes, keys: Keys) -> Response:
    """Make a key. `key` is its text; it is never shown again, and stored nowhere.

    With an Idempotency-Key the key follows from the request, so that a repetition is answered with the same one.
    """
    who = dict(commands.who)
    retry: RetryKey | None = who.pop("retry_key")
    owner = (commands.caller.organization_id, commands.caller.user_id)
    key = new_key() if retry is None else repeatable_key(keys.pepper, (*owner, retry.key), retry.fingerprint)
    command = CreateApiKey(key_id=key.id, new=body, secret_hmac=key.hmac(keys.pepper), **who)
    answer = await commands.serve(create_api_key, command, api_key_answer("created", 201, key))
    if AUDIT_RECEIPT not in answer.headers and (receipt := await _receipt(request.app.state.reader, command)):
        answer.headers[AUDIT_RECEIPT] = receipt
    return answer


async def _receipt(reader: Reader, command: CreateApiKey) -> str | None:
    """What the first of several repeated requests was answered with."""
    where = {"organization_id": command.organization_id, "key": command.subject()}
    found = await reader.ask(command.organization_id, Question((), MADE, where))
    return receipt_again(command.organization_id, found.rows)


@router.get("", name="list_api_keys")
async def index(ask: Reads, keys: Keys, wanted: Annotated[PageParameters, Query()]) -> Response:
    """The organisation's keys, revoked ones too, without what they are recognised by."""
    place = wanted.place()
    if place.cursor is not None and not is_key_id(place.cursor):
        raise Invalid("cursor", "is not a cursor this service gave")
    found, total = await keys.listed(
        ask.organization_id,
        after=(place.cursor or "").upper(),
        limit=place.per_page + 1,
        offset=0 if place.cursor else (place.page - 1) * place.per_page,
    )
    shown = found[: place.per_page]
    cursor = shown[-1].id if len(found) > len(shown) else None
    items = [to_json(key).decode() for key in shown]
    page = Page(items, [], cursor, None if place.cursor else total, 0)
    return paged(page, place, "API keys retrieved successfully", items)


@router.delete("/{key_id}", name="revoke_api_key")
async def revoke(key_id: str, commands: Writes, keys: Keys) -> Response:
    """End a key for ever. Once this is answered no worker takes it any more."""
    if not is_key_id(key_id):
        raise Unknown("API key")
    command = RevokeApiKey(key_id=key_id.upper(), **commands.who)
    answer = await commands.serve(revoke_api_key, command, api_key_answer("revoked"))
    await keys.forgotten()
    return answer
