"""Every way to fail, in one table: RFC 9457 problem documents that are the envelope's `success: false` too."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.http.methods import allowed_methods
from application.activity.bulk_action import RefusedTogether, Result
from application.refusals import Unavailable
from domain.refusals import Invalid, NotAllowed, Refusal
from projections.resource import to_json

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of problem: its status code, its title, and what to do about it (shown at /problems/{code})."""

    status: int
    title: str
    help: str


KINDS: Mapping[str, Kind] = {
    "malformed_request": Kind(400, "Malformed request", "Send well-formed JSON, each key once."),
    "organization_required": Kind(400, "Organization required", "Send the X-Organization-ID header."),
    "acting_user_required": Kind(
        400, "Acting user required", "Send X-Acting-User-ID with the API key, or a bearer token."
    ),
    "unauthenticated": Kind(401, "Not authenticated", "Send a valid credential."),
    "forbidden": Kind(403, "Not permitted", "Use a credential with the scope named in the detail."),
    "not_found": Kind(404, "Not found", "There is no such thing in your organisation, or it is deleted."),
    "method_not_allowed": Kind(405, "Method not allowed", "See the Allow header."),
    "action_not_allowed": Kind(409, "Not allowed in this status", "See allowed_actions for what is."),
    "bulk_refused": Kind(409, "Refused together", "See results for what was refused; nothing was done."),
    "erased": Kind(410, "Erased", "The person's data were erased for good; the record is closed."),
    "stale_version": Kind(412, "Changed since", "Read the activity again and decide anew."),
    "too_large": Kind(413, "Too large", "A body may have 256 KiB."),
    "unsupported_media_type": Kind(415, "Unsupported media type", "Send application/json."),
    "invalid": Kind(422, "Invalid", "See errors: what is wrong, by field."),
    "related_entity_not_found": Kind(
        422, "Related entity not found", "Verify that the entity exists: GET it from the directory first."
    ),
    "of_an_erased_person": Kind(
        422, "Of an erased person", "Leave out what is personal, or name another contact or record."
    ),
    "idempotency_key_reused": Kind(422, "Idempotency-Key reused", "Use a new key for a new request."),
    "precondition_required": Kind(428, "Precondition required", "Send If-Match with the ETag you know."),
    "rate_limited": Kind(429, "Too many requests", "Wait as long as Retry-After says."),
    "internal": Kind(500, "Internal error", "It is ours; report the request_id."),
    "unavailable": Kind(503, "Temporarily unavailable", "Try again after Retry-After seconds."),
}


class Problem(Exception):
    """Raised anywhere on the edge; becomes the problem document of its kind."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or KINDS[code].title
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more


def document(problem: Problem, instance: str | None, request_id: str | None) -> dict[str, Any]:
    kind = KINDS[problem.code]
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": instance,
        "success": False,
        "message": problem.detail,
        "code": problem.code,
        "errors": problem.errors or {},
        "request_id": request_id,
    }
    return body | problem.more


def shown_refusal(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the problem document of one item among many."""
    return document(of_refusal(refusal), None, None)


def shown_results(results: Sequence[Result]) -> list[dict[str, Any]]:
    """What became of each of many: ok, or its problem."""
    return [
        {"id": result.id, "ok": True}
        if result.refusal is None
        else {"id": result.id, "ok": False, "problem": shown_refusal(result.refusal)}
        for result in results
    ]


def of_refusal(refusal: Refusal) -> Problem:
    if isinstance(refusal, RefusedTogether):
        return Problem(refusal.code, refusal.message, results=shown_results(refusal.results))
    if isinstance(refusal, NotAllowed):
        return Problem(refusal.code, refusal.message, allowed_actions=list(refusal.allowed_actions))
    if isinstance(refusal, Invalid):
        return Problem(refusal.code, refusal.message, errors={refusal.field: [refusal.message]})
    return Problem(refusal.code, refusal.message)


def of_validation(errors: Sequence[Any]) -> Problem:
    """Name each field; never repeat what was sent."""
    by_field: dict[str, list[str]] = {}
    for error in errors:
        by_field.setdefault(_field(error["loc"]), []).append(_message(error))
    named = "; ".join(f"{field}: {messages[0]}" for field, messages in list(by_field.items())[:3])
    return Problem("invalid", named, errors=by_field)


def _field(loc: Sequence[Any]) -> str:
    """A query parameter's name, or the place in the body."""
    inside = [str(part) for part in loc if part not in ("body", "query", "path", "header")]
    return ".".join(inside[:1] if "query" in loc[:1] else inside) or "body"


def _message(error: Mapping[str, Any]) -> str:
    """Texts are checked after they are trimmed, so that Pydantic no longer calls their parts characters."""
    bounds = error.get("ctx", {})
    if bounds.get("field_type") == "Value" and error["type"] in ("too_long", "too_short"):
        most, least = bounds.get("max_length"), bounds.get("min_length")
        return f"must have at {f'most {most}' if least is None else f'least {least}'} characters"
    return str(error["msg"]).removeprefix("Value error, ")


def response(problem: Problem, request: Request) -> Response:
    request_id = request.scope.get("state", {}).get("request_id")
    body = to_json(document(problem, request.url.path, request_id))
    return Response(body, KINDS[problem.code].status, problem.headers, MEDIA_TYPE)


_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 400: "malformed_request"}


def of_http(error: HTTPException, request: Request) -> Problem:
    code = _BY_STATUS.get(error.status_code, "malformed_request")
    allow = {"Allow": allowed_methods(request)} if code == "method_not_allowed" else {}
    return Problem(code, headers={**(error.headers or {}), **allow})


def unavailable(error: Unavailable) -> Problem:
    return Problem("unavailable", str(error), headers={"Retry-After": "1"})


def install(app: FastAPI) -> None:
    """Every exception that can leave a route, and the problem it becomes."""

    def on(kind: type[Exception], problem_of: Any) -> None:
        async def handle(request: Request, error: Exception) -> Response:
            return response(problem_of(error), request)

        app.add_exception_handler(kind, handle)

    on(Problem, lambda error: error)
    on(Refusal, of_refusal)
    on(RequestValidationError, lambda error: of_validation(error.errors()))
    on(ValidationError, lambda error: of_validation(error.errors(include_input=False, include_url=False)))
    on(Unavailable, unavailable)
    on(Exception, _unexpected)

    @app.exception_handler(HTTPException)
    async def handle_http(request: Request, error: HTTPException) -> Response:
        return response(of_http(error, request), request)


def _unexpected(error: Exception) -> Problem:
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    return Problem("internal", "Something went wrong on our side")
