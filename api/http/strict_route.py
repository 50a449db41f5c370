"""Routes that read a request strictly, and the short way to them."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import Problem
from api.http.straight import Body, Function
from api.http.strict_json import bounded


class StrictRoute(APIRoute):
    """First who asks, then what of; a route that declares no query parameters takes none."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        self._function = Function(self.dependant)
        self._body = None if self.body_field is None else Body(self.body_field)
        return self.respond

    async def respond(self, request: Request) -> Response:
        if self._body is not None:
            request._body = await bounded(request)
        taken = await self._function.taken(request, {})
        if request.scope["query_string"] and not self._function.takes_query:
            _refuse(request.query_params)
        if self._body is not None:
            taken[self._body.name] = self._body.of(request._body, request.headers.get("content-type", ""))
        response: Response = await self._function.call(**taken)
        return response


def _refuse(parameters: Iterable[str]) -> None:
    errors = {name: ["is not a parameter here"] for name in parameters}
    raise Problem("invalid", f"{', '.join(errors)}: not a parameter here", errors=errors)


class Door:
    """A route of the service under its whole path."""

    def __init__(self, prefix: str, route: StrictRoute) -> None:
        self.path = prefix + route.path
        self.pattern, self.path_format, _ = compile_path(self.path)
        self.respond = route.respond


class ShortWay:
    """ASGI: requests for strict routes are responded to here; all others, and all methods none takes, go the long way.

    The long way is FastAPI's: past middleware and routers that would look at each request a dozen times.
    """

    def __init__(self, app: FastAPI, long_way: ASGIApp, routers: Iterable[tuple[str, APIRouter]]) -> None:
        self._app, self._long_way = app, long_way
        self._exact: dict[tuple[str, str], Door] = {}
        self._patterns: dict[tuple[str, int], list[Door]] = {}
        for prefix, router in routers:
            for route in router.routes:
                if isinstance(route, StrictRoute):
                    self._open(Door(prefix, route), route.methods or ())

    def _open(self, door: Door, methods: Iterable[str]) -> None:
        for method in methods:
            if "{" in door.path:
                self._patterns.setdefault((method, door.path.count("/")), []).append(door)
            else:
                self._exact[method, door.path] = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._door(scope) if scope["type"] == "http" else None
        if door is None:
            await self._long_way(scope, receive, send)
            return
        scope["route"] = door
        request = Request(scope, receive, send)
        try:
            response = await door.respond(request)
        except Exception as error:  # noqa: BLE001  whatever it is, it has a problem document
            response = await self._refused(request, error)
        await response(scope, receive, send)

    def _door(self, scope: Scope) -> Door | None:
        method, path = scope["method"], scope["path"]
        if (door := self._exact.get((method, path))) is not None:
            scope["path_params"] = {}
            return door
        for door in self._patterns.get((method, path.count("/")), ()):
            if (match := door.pattern.match(path)) is not None:
                scope["path_params"] = match.groupdict()
                return door
        return None

    async def _refused(self, request: Request, error: Exception) -> Response:
        handlers = self._app.exception_handlers
        handle: Any = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
        response: Response = await handle(request, error)
        return response
