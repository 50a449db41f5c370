"""A span for every request, where traces are wanted; else this is not even there."""

import time

from opentelemetry import trace
from opentelemetry.trace import StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import route_of
from application.spans import Spans


class Traces:
    """ASGI middleware, inside the one that gives a request its id. Spans are named by route; they hold no path."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with trace.use_span(
            self._spans.request(headers, time.time_ns()), end_on_exit=True, record_exception=False
        ) as span:
            try:
                await self._app(scope, receive, seen)
            finally:
                method, route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.request.method": method, "http.route": route})
                span.set_attribute("http.response.status_code", status)
                for name in ("request_id", "organization"):
                    if name in scope["state"]:
                        span.set_attribute(f"activities.{name}", scope["state"][name])
                if status >= 500:
                    span.set_status(StatusCode.ERROR)
