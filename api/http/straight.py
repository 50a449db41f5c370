"""Calling a route's function straight with what it takes of a request.

FastAPI reads off the function what that is, and tells it in the OpenAPI document. But for each request it looks
anew for everything any function could take, which takes longer than most answers here. Ours take four kinds of
thing: the request, parts of the path, one model of the query, one of the body; or something made of these.
"""

from collections.abc import Callable
from functools import lru_cache
from inspect import isawaitable
from typing import Any, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.http.strict_json import strict_body

Made = dict[Callable[..., Any], Any]
"""What was made for a request already, by what made it."""


class Function:
    """A function, or an object to be called, with what it takes. Raises TypeError for what no route here may take."""

    def __init__(self, dependant: Dependant) -> None:
        if dependant.call is None or dependant.header_params or dependant.cookie_params:
            raise TypeError(f"{dependant.call}: takes only the request, the path, one query and one body")
        self.call: Callable[..., Any] = dependant.call
        self.takes_query = bool(dependant.query_params)
        self._request = dependant.request_param_name
        self._path = [(field.name, field.alias) for field in dependant.path_params]
        self._query = [(field.name, Query(field.field_info.annotation)) for field in dependant.query_params]
        self._made = [(inner.name or "", Function(inner)) for inner in dependant.dependencies]

    async def taken(self, request: Request, made: Made) -> dict[str, Any]:
        """What it takes but for the body. Callers come first: nothing is said to those who are not known."""
        taken = {name: await function.returned(request, made) for name, function in self._made}
        for name, alias in self._path:
            taken[name] = request.path_params[alias]
        for name, query in self._query:
            taken[name] = query.of(request)
        if self._request is not None:
            taken[self._request] = request
        return taken

    async def returned(self, request: Request, made: Made) -> Any:
        """What it returns, once for a request."""
        if self.call not in made:
            value = self.call(**await self.taken(request, made))
            made[self.call] = await value if isawaitable(value) else value
        return made[self.call]


class Query:
    """A model of the query parameters. The same words are read once: models are never changed."""

    def __init__(self, model: Any) -> None:
        if not issubclass(model, BaseModel):
            raise TypeError(f"{model}: the query parameters of a route are one model")
        self._model: type[BaseModel] = model
        self._lists = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
        self._read = lru_cache(maxsize=512)(self._uncached)

    def of(self, request: Request) -> BaseModel:
        """Raises RequestValidationError."""
        return self._read(request.scope["query_string"])

    def _uncached(self, said: bytes) -> BaseModel:
        found: dict[str, Any] = {}
        for name, value in parse_qsl(said.decode("latin-1"), keep_blank_values=True):
            if name in self._lists:
                found.setdefault(name, []).append(value)
            else:
                found[name] = value
        try:
            return self._model.model_validate(found)
        except ValidationError as error:
            raise RequestValidationError(located("query", error)) from None


class Body:
    """What the body must be. The one of a function that takes none is None."""

    def __init__(self, field: ModelField) -> None:
        self.name = field.name
        self._needed = field.field_info.is_required()
        self._otherwise = field.field_info.default
        annotation: Any = field.field_info.annotation
        self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def of(self, said: bytes, content_type: str) -> Any:
        """Raises Problem, or RequestValidationError."""
        value = strict_body(said, content_type, self._needed)
        if value is None:
            return self._otherwise
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise RequestValidationError(located("body", error)) from None


def located(where: str, error: ValidationError) -> list[dict[str, Any]]:
    """The errors, each with the part of the request it was found in."""
    found = error.errors(include_input=False, include_url=False)
    return [{**one, "loc": (where, *one["loc"])} for one in found]
