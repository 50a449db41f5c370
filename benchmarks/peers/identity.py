"""The service's own token check, for every peer: an HS256 bearer token, remembered once it was found valid."""

import os
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from api.http.caller import Caller
from api.http.claims import InvalidToken
from api.http.tokens import SharedSecret, Tokens
from benchmarks.peers.serve import SECRET

_tokens = Tokens(SharedSecret(os.environ.get(SECRET, "")))


async def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401, "Send Authorization: Bearer <token>")
    try:
        return await _tokens.caller(token.encode())
    except InvalidToken as error:
        raise HTTPException(401, str(error)) from None


Who = Annotated[Caller, Depends(_caller)]
