"""Every way an operation can refuse, from the table of problems: one response for each status code."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from api.http.problems import KINDS, MEDIA_TYPE
from api.openapi.examples.problems import PROBLEMS
from api.openapi.headers import headers
from api.openapi.shapes.problem import SHAPES, Problem

Json = dict[str, Any]

_EVERY = ("internal", "unavailable")
_IDENTIFIED = ("malformed_request", "unauthenticated", "forbidden", "invalid", "rate_limited")
_WITH_BODY = ("too_large", "unsupported_media_type")
_COMMANDS = ("idempotency_key_reused",)
_COMMANDS_ON_ONE = ("stale_version", "precondition_required")

_MORE_HEADERS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    415: ("Accept-Patch",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def codes_of(tag: str, *, reads: bool, on_one: bool, has_body: bool) -> Iterator[str]:
    """The problems operations of this sort have in common."""
    yield from _EVERY
    if tag == "operation":
        return
    yield from _IDENTIFIED
    yield "organization_required" if tag == "accounts" else "acting_user_required"
    if on_one:
        yield "not_found"
    if has_body:
        yield from _WITH_BODY
    if not reads:
        yield from _COMMANDS
        if on_one:
            yield from _COMMANDS_ON_ONE


def by_status(codes: Sequence[str]) -> dict[str, str]:
    """By status code, the name of the response its problems make together."""
    together: dict[int, list[str]] = {}
    for code in KINDS:
        if code in codes:
            together.setdefault(KINDS[code].status, []).append(code)
    return {str(status): "_or_".join(codes) for status, codes in together.items()}


def response(name: str) -> Json:
    """The response of that name."""
    codes = name.split("_or_")
    status = KINDS[codes[0]].status
    shapes = dict.fromkeys(SHAPES.get(code, Problem).__name__ for code in codes)
    schemas = [{"$ref": f"#/components/schemas/{shape}"} for shape in shapes]
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {
        "description": f"{HTTPStatus(status).phrase}: {'; '.join(KINDS[code].help for code in codes)}",
        "headers": headers("X-Request-ID", *_MORE_HEADERS.get(status, ())),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


EXAMPLES: Json = {code: {"summary": KINDS[code].title, "value": said} for code, said in PROBLEMS.items()}
