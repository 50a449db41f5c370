"""Bodies are read strictly: bounded in size and depth, each key once, every number one that can be stored."""

import json
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.http.problems import Problem

MOST_BYTES = 256 * 1024
MOST_DEPTH = 32
_INTEGERS = range(-(2**63), 2**63)
_JSON_TYPES = ("application/json", "application/merge-patch+json")


class _NotStrict(ValueError):
    pass


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotStrict("A key occurs twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 20 or (number := int(digits)) not in _INTEGERS:
        raise _NotStrict("An integer does not fit in 64 bits")
    return number


def _float(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise _NotStrict("A number is too large")
    return number


def _constant(name: str) -> Any:
    raise _NotStrict(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def parsed(body: bytes) -> Any:
    """The JSON value of a body. Raises Problem malformed_request saying what is wrong with it."""
    try:
        text = body.decode()
        value = _decoder.decode(text)
    except _NotStrict as error:
        raise Problem("malformed_request", str(error)) from None
    except UnicodeDecodeError:
        raise Problem("malformed_request", "The body is not UTF-8") from None
    except RecursionError:
        raise Problem("malformed_request", f"JSON deeper than {MOST_DEPTH} levels") from None
    except ValueError as error:
        at = f" at position {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem("malformed_request", f"Malformed JSON{at}") from None
    if text.count("{") + text.count("[") > MOST_DEPTH and _depth(value) > MOST_DEPTH:
        raise Problem("malformed_request", f"JSON deeper than {MOST_DEPTH} levels")
    return value


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        containers = [v for v in level if isinstance(v, dict | list)]
        if not containers:
            break
        deepest += 1
        level = [inner for v in containers for inner in (v.values() if isinstance(v, dict) else v)]
    return deepest


async def bounded(request: Request) -> bytes:
    """The body, at most MOST_BYTES of it. Raises Problem too_large without reading on."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise Problem("too_large", f"A body may have {MOST_BYTES} bytes")
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_BYTES:
            raise Problem("too_large", f"A body may have {MOST_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


class StrictRoute(APIRoute):
    """A route whose body, where there is one, was read strictly before FastAPI sees it.

    A route that declares no query parameters takes none.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        needs_body = self.body_field is not None and self.body_field.field_info.is_required()

        takes_query = bool(self.dependant.query_params)

        async def strictly(request: Request) -> Response:
            if request.query_params and not takes_query:
                _refuse(request.query_params)
            if takes_body:
                await _read(request, needs_body)
            return await handle(request)

        return strictly


def _refuse(parameters: Iterable[str]) -> NoReturn:
    errors = {name: ["is not a parameter here"] for name in parameters}
    raise Problem("invalid", f"{', '.join(errors)}: not a parameter here", errors=errors)


async def _read(request: Request, needed: bool) -> None:
    body = await bounded(request)
    request._body = body
    if not body.strip():
        if needed:
            raise Problem("malformed_request", "The body is empty; a JSON object is needed")
        request._body = b""
        return
    said = request.headers.get("content-type", "")
    if said.partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise Problem("unsupported_media_type", headers={"Accept-Patch": _JSON_TYPES[1], "Accept": _JSON_TYPES[0]})
    request._json = _object(parsed(body))


def _object(value: Any) -> dict[str, Any]:
    """Every body is an object: null, too, is something else than no body."""
    if not isinstance(value, dict):
        message = "must be a JSON object"
        raise Problem("invalid", f"body: {message}", errors={"body": [message]})
    return value
