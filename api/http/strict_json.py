"""Bodies are read strictly: bounded in size and depth, each key once, every number one that can be stored."""

import json
import math
from typing import Any

from fastapi import Request

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


def strict_body(body: bytes, content_type: str, needed: bool) -> dict[str, Any] | None:
    """The JSON object a body is; None where there is none and none is needed. Raises Problem."""
    if not body.strip():
        if needed:
            raise Problem("malformed_request", "The body is empty; a JSON object is needed")
        return None
    if content_type.partition(";")[0].strip().lower() not in _JSON_TYPES:
        raise Problem("unsupported_media_type", headers={"Accept-Patch": _JSON_TYPES[1], "Accept": _JSON_TYPES[0]})
    return _object(parsed(body))


def _object(value: Any) -> dict[str, Any]:
    """Every body is an object: null, too, is something else than no body."""
    if not isinstance(value, dict):
        message = "must be a JSON object"
        raise Problem("invalid", f"body: {message}", errors={"body": [message]})
    return value
