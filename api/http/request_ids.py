"""Every request has an id, its own or the caller's: in the answer, in problems, in logs, with the facts recorded."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.guarding_headers import guarding
from api.http.metrics import count_request
from application.ulids import new_ulid

_ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """ASGI middleware, the outermost. Adds to every answer the request's id, `state["headers"]`, and what guards it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given if _ACCEPTED.fullmatch(given) else new_ulid().encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                more = ((b"x-request-id", request_id), *state.get("headers", ()))
                message["headers"] = [*own, *more, *guarding(own)]
                count_request(scope, message["status"])
            await send(message)

        await self._app(scope, receive, completed)
