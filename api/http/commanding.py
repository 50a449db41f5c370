"""What every command over HTTP shares: who commands, upon which version, and whether it is a repetition."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.http.caller import Caller
from api.http.envelope import ok
from api.http.identity import WhoAsks, caller_of, permitted
from api.http.problems import Problem
from api.http.staleness import changed_since
from application.command import Actor, Answer, Command, Handler, Order, Receipt, RetryKey
from application.desk import Desk
from application.refusals import StaleVersion
from projections.reading import Reader

_OUR_TAG = re.compile(r'"([0-9]{1,17})(?:\.[^"]*)?"')


class Commanding:
    """A caller's commands. `who` is what every command says of its caller and its circumstances."""

    def __init__(self, caller: Caller, request: Request, retry_key: RetryKey | None) -> None:
        self.caller = caller
        self._desk: Desk = request.app.state.desk
        self._reader: Reader = request.app.state.reader
        self.who: dict[str, Any] = {
            "organization_id": caller.organization_id,
            "actor": Actor(user_id=caller.user_id, client=caller.client),
            "request_id": request.scope["state"].get("request_id"),
            "expected_version": expected_version(request),
            "retry_key": retry_key,
        }

    async def serve(self, handler: Handler, command: Command, answer: Callable[[Receipt], Answer]) -> Response:
        try:
            given = await self._desk.serve(Order(command, handler, answer))
        except StaleVersion as stale:
            raise await changed_since(self._reader, self.caller.organization_id, stale) from None
        headers = dict(given.headers)
        if given.replayed:
            headers["Idempotent-Replayed"] = "true"
        return ok(given.body, headers, given.status)


def expected_version(request: Request) -> int | None:
    """The version of If-Match. An ETag that is not one of ours, or a weak one, never matches."""
    given = request.headers.get("if-match")
    if given is None:
        if request.app.state.settings.require_if_match and request.path_params and request.method != "GET":
            raise Problem("precondition_required")
        return None
    if given.strip() == "*":
        return None
    version = _OUR_TAG.fullmatch(given.strip())
    return int(version[1]) if version else -1


async def retry_key_of(request: Request, caller: Caller) -> RetryKey | None:
    """The Idempotency-Key with a digest of what it was used for: route, and body as JSON."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip().strip('"')
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Problem("invalid", "Idempotency-Key must have 1 to 255 printable characters")
    said = sha256(f"{request.method} {request.url.path}\n".encode())
    said.update(await request.body())
    return RetryKey(key=key, fingerprint=said.digest())


class Commands:
    """A dependency of routes that command with a scope."""

    def __init__(self, scope: str, who: WhoAsks = caller_of) -> None:
        self.scope = scope
        self._who = who

    async def __call__(self, request: Request) -> Commanding:
        caller = permitted(await self._who(request), self.scope)
        return Commanding(caller, request, await retry_key_of(request, caller))
