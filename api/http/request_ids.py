"""Every request has an id, its own or the caller's: in the answer, in problems, in logs, with the facts recorded."""

import logging
import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.guarding_headers import guarding
from api.http.metrics import count_request, route_of
from application.logs import REQUEST
from application.ulids import new_ulid

_ACCEPTED = re.compile(rb"[A-Za-z0-9._-]{1,64}")

log = logging.getLogger(__name__)


class RequestIds:
    """ASGI middleware, the outermost. Adds to every answer the request's id, `state["headers"]`, and what guards it.

    What is logged meanwhile has the id, too. With `logged` every request is logged once its answer begins.
    """

    def __init__(self, app: ASGIApp, *, logged: bool = False) -> None:
        self._app = app
        self._tell: Callable[[Scope, int, float], None] = _log_request if logged else _tell_nobody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given if _ACCEPTED.fullmatch(given) else new_ulid().encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        REQUEST.set(state)  # a request is a task of its own, and so is what is set here

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                more = ((b"x-request-id", request_id), *state.get("headers", ()))
                message["headers"] = [*own, *more, *guarding(own, scope["scheme"])]
                took = time.perf_counter() - began
                count_request(scope, message["status"], took)
                self._tell(scope, message["status"], took)
            await send(message)

        await self._app(scope, receive, completed)


def _log_request(scope: Scope, status: int, took: float) -> None:
    method, route = route_of(scope)
    milliseconds = round(took * 1000, 1)
    log.info("request", extra={"method": method, "route": route, "status": status, "milliseconds": milliseconds})


def _tell_nobody(scope: Scope, status: int, took: float) -> None:
    pass
