"""Who is asking, and may they? Every route says which scope it needs; without a credential nothing is answered."""

from fastapi import Request

from api.http.problems import Problem
from api.http.tokens import Caller, InvalidToken, Tokens

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


def caller_of(request: Request) -> Caller:
    """The caller, by the bearer token. Raises Problem unauthenticated or forbidden."""
    tokens: Tokens = request.app.state.tokens
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("unauthenticated", "Send Authorization: Bearer <token>", headers=_CHALLENGE)
    try:
        caller = tokens.caller(token.strip())
    except InvalidToken as error:
        raise Problem("unauthenticated", str(error), headers=_CHALLENGE) from None
    for organization in request.headers.getlist("x-organization-id"):
        if organization != caller.organization_id:
            raise Problem("forbidden", "X-Organization-ID is not the organisation of the credential")
    return caller


def permitted(caller: Caller, scope: str) -> Caller:
    if scope not in caller.scopes:
        raise Problem("forbidden", f"The scope {scope} is needed")
    return caller
