"""Who is asking, and may they? Every route says which scope it needs; without a credential nothing is answered.

A bearer token says who acts, an API key by means of which client; either names the organisation. Surface S takes a
token, or a key with X-Acting-User-ID, or both; surface T wants all three headers. Where token and key are given,
the scopes in both count. A header that disagrees with the credential is 403, one said twice and differently 400.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from fastapi import Request

from api.http.caller import Caller
from api.http.claims import InvalidToken
from api.http.credentials import ACTING_USER, API_KEY, ORGANIZATION, Headers, bearer, identity_headers, text
from api.http.problems import Problem
from api.http.rate_limit import RateLimit
from api.http.tokens import Tokens
from application.api_key.recognition import ApiKeys, RecognisedKey

WhoAsks = Callable[[Request], Awaitable[Caller]]

_MISSING = {"WWW-Authenticate": "Bearer"}
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


async def caller_of(request: Request) -> Caller:
    """The caller on surface S, counted. Raises Problem."""
    return _admitted(request, await recognised(request))


async def recognised(request: Request) -> Caller:
    """The same, not counted: for those who go on being answered. Raises Problem."""
    said = identity_headers(request)
    token, key = bearer(said), said.get(API_KEY)
    if token is None and key is None:
        raise Problem("unauthenticated", "Send Authorization: Bearer <token>, or X-API-Key", headers=_MISSING)
    return await _agreed(request, said, token, key)


async def accounts_caller_of(request: Request) -> Caller:
    """The caller on surface T, where all three headers are required. Raises Problem."""
    said = identity_headers(request)
    token, key = bearer(said), said.get(API_KEY)
    if token is None or key is None:
        raise Problem("unauthenticated", "Send Authorization: Bearer <token> and X-API-Key", headers=_MISSING)
    caller = await _agreed(request, said, token, key)
    if not said.get(ORGANIZATION):
        raise Problem("organization_required")
    return _admitted(request, caller)


def permitted(caller: Caller, scope: str) -> Caller:
    if scope not in caller.scopes:
        challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
        raise Problem("forbidden", f"The scope {scope} is needed", headers=challenge)
    return caller


def _admitted(request: Request, caller: Caller) -> Caller:
    limit: RateLimit = request.app.state.rate_limit
    limit.count(caller, request)
    request.scope["state"]["organization"] = caller.organization_id
    return caller


async def _agreed(request: Request, said: Headers, token: bytes | None, key: bytes | None) -> Caller:
    """Whom the credentials speak for, all the headers agreeing."""
    client = None if key is None else await _client(request, key)
    user = text(said.get(ACTING_USER))
    if token is not None:
        caller = _together(await _bearer(request, token), client)
    else:
        assert client is not None  # somebody gave a credential
        caller = Caller(client.organization_id, _acting(user), client.scopes, client.id)
    if text(said.get(ORGANIZATION)) not in (None, caller.organization_id):
        raise Problem("forbidden", "X-Organization-ID is not the organisation of the credential")
    if user not in (None, caller.user_id):
        raise Problem("forbidden", "X-Acting-User-ID is not the user of the token")
    return caller


async def _bearer(request: Request, token: bytes) -> Caller:
    tokens: Tokens = request.app.state.tokens
    if not token:
        raise Problem("unauthenticated", "Send Authorization: Bearer <token>", headers=_MISSING)
    try:
        return await tokens.caller(token)
    except InvalidToken as error:
        raise Problem("unauthenticated", str(error), headers=_INVALID) from None


async def _client(request: Request, key: bytes) -> RecognisedKey:
    keys: ApiKeys = request.app.state.api_keys
    if (client := await keys.recognised(key.decode("latin-1"))) is None:
        raise Problem("unauthenticated", "The API key is not valid", headers=_MISSING)
    return client


def _together(caller: Caller, client: RecognisedKey | None) -> Caller:
    if client is None:
        return caller
    if client.organization_id != caller.organization_id:
        raise Problem("forbidden", "The API key and the token are of different organisations")
    return replace(caller, scopes=caller.scopes & client.scopes, client=client.id)


def _acting(user: str | None) -> str:
    if user is None:
        raise Problem("acting_user_required")
    if len(user) > 64 or not user.isprintable():
        raise Problem("malformed_request", "X-Acting-User-ID must have 1 to 64 printable characters")
    return user
