"""Every operation the service offers, as its router has them, and what each needs to be asked of a real activity."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fastapi.routing

from api.app import create_app
from application.settings import Settings

NEEDS_NO_CREDENTIALS = {
    "/health/live",
    "/health/ready",
    "/metrics",
    "/problems",
    "/problems/{code}",
    "/openapi.json",
    "/docs",
    "/docs/start.js",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
}
"""Health, measures, documentation, problems: said in REQUIREMENTS, section 6."""

_with_prefixes = getattr(fastapi.routing, "iter_route_contexts", iter)  # newer FastAPI includes routers lazily


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    scopes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def reads(self) -> bool:
        return self.method == "GET"


def operations() -> list[Operation]:
    """All but those that need no credentials."""
    nowhere = Settings(database_url="dbname=nowhere", jwt_secret="s" * 32, api_key_pepper="p" * 32)
    found = [
        Operation(method, route.path, frozenset(_scopes(getattr(route, "dependant", None))))
        for route in _with_prefixes(create_app(nowhere).routes)
        for method in sorted(route.methods - {"HEAD", "OPTIONS"})
        if route.path not in NEEDS_NO_CREDENTIALS
    ]
    return sorted(found, key=str)


def _scopes(dependant: Any) -> Iterator[str]:
    if dependant is None:
        return
    if (scope := getattr(dependant.call, "scope", None)) is not None:
        yield scope
    for inner in dependant.dependencies:
        yield from _scopes(inner)
