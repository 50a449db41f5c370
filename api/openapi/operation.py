"""One operation of the document: what its route says, completed with what the catalogue tells of it."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from api.http.audit_changes import ULID_PATTERN
from api.http.audit_feed import EVENT_STREAM
from api.http.envelope import JSON
from api.openapi.catalogue import OPERATIONS
from api.openapi.glossary import PARAMETERS
from api.openapi.headers import headers, parameters
from api.openapi.introduction import SCOPES
from api.openapi.refusals import by_status, codes_of
from api.openapi.schemas import REF, tidied, without_null
from api.openapi.told import Answer, Examples, Told

Json = dict[str, Any]

_MERGE_PATCH = "application/merge-patch+json"
_ULID = {"type": "string", "pattern": ULID_PATTERN}
_IN_PATHS: dict[str, Json] = {
    "activity_id": _ULID,
    "key_id": _ULID,
    "activityId": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, _ULID]},
    "record_id": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"^[^/\x00-\x1f\x7f-\x9f]+$"},
    "n": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
}


def completed(operation: Json, method: str) -> Json:
    told, [tag] = OPERATIONS[operation["operationId"]], operation["tags"]
    reads = method == "get"
    named = (operation["operationId"], tag)
    given = [_parameter(one, named) for one in operation.get("parameters", [])]
    on_one = any(one["in"] == "path" for one in given)
    codes = codes_of(tag, reads=reads, on_one=on_one, has_body="requestBody" in operation)
    operation |= {
        "summary": told.summary,
        "description": _description(told.description or operation.get("description", ""), tag, reads),
        "parameters": [*given, *parameters(*_asks(told, tag, reads, on_one))],
        "responses": _answers(told, tag, reads) | _refusals([*codes, *told.refusals]),
        "security": _security(tag, reads),
    }
    if "requestBody" in operation:
        operation["requestBody"] = _body(operation, told.bodies, method)
    return operation


def _description(said: str, tag: str, reads: bool) -> str:
    return f"{said}\n\nScope: `{SCOPES[tag][not reads]}`" if tag in SCOPES else said


def _parameter(given: Json, named: Iterable[str]) -> Json:
    """`named`: the operation and its tag, which may have a word of their own for it."""
    name, place = given["name"], given["in"]
    word = next((PARAMETERS[own] for of in named if (own := f"{of}.{name}") in PARAMETERS), PARAMETERS.get(name))
    assert word is not None, f"the glossary has no word for {name}"
    schema = _IN_PATHS[name] if place == "path" else without_null(tidied(given["schema"]))
    parameter = {"name": name, "in": place, "required": given["required"], "description": word.means, "schema": schema}
    if schema.get("type") == "array":
        schema.pop("default", None)
        parameter |= {"style": "form", "explode": False}
    return parameter if word.example is None else parameter | {"example": word.example}


def _asks(told: Told, tag: str, reads: bool, on_one: bool) -> list[str]:
    if tag not in SCOPES:
        return []
    if not reads:
        return ["Idempotency-Key", *(["If-Match"] if on_one else [])]
    streams = ["Last-Event-ID"] if any(answer.streamed for answer in told.answers.values()) else []
    return ["Prefer", *streams, *(["If-None-Match"] if any(answer.etag for answer in told.answers.values()) else [])]


def _body(operation: Json, bodies: Examples, method: str) -> Json:
    """Bodies that may be left out may not be null; where name is needed at first, another schema says so."""
    [said] = operation["requestBody"]["content"].values()
    schema = without_null(tidied(said["schema"]))
    if operation["operationId"].partition("_")[0] in ("create", "put") and schema["$ref"].endswith("Draft"):
        schema = {"$ref": f"{REF}New{schema['$ref'].removeprefix(REF).removesuffix('Draft')}"}
    content = {"schema": schema, "examples": _examples(bodies)}
    types = (JSON, _MERGE_PATCH) if method == "patch" else (JSON,)
    return {"required": operation["requestBody"].get("required", False), "content": dict.fromkeys(types, content)}


def _examples(examples: Examples) -> Json:
    return {name: {"summary": name.replace("_", " ").capitalize(), "value": value} for name, value in examples.items()}


def _answers(told: Told, tag: str, reads: bool) -> Json:
    if not told.answers:
        text = {CONTENT_TYPE_LATEST.partition(";")[0]: {"schema": {"type": "string"}}}
        return {"200": {"description": "The measures", "headers": headers("X-Request-ID"), "content": text}}
    given = {str(status): _answer(answer, tag, reads) for status, answer in told.answers.items()}
    if reads and any(answer.etag for answer in told.answers.values()):
        known = headers("X-Request-ID", "ETag", "Projection-Lag", "RateLimit", "RateLimit-Policy")
        given["304"] = {"description": "The caller has it already (If-None-Match)", "headers": known}
    return given


def _answer(answer: Answer, tag: str, reads: bool) -> Json:
    names = ["X-Request-ID"]
    if answer.etag:
        names.append("ETag")
    if tag in SCOPES:
        names += ["Projection-Lag"] if reads else ["Idempotent-Replayed", "Audit-Receipt"]
        names += ["RateLimit", "RateLimit-Policy"]
    content = {"schema": {"$ref": f"{REF}{answer.shape.__name__}"}, "examples": _examples(answer.examples)}
    told: Json = {JSON: content}
    if answer.streamed:
        told[EVENT_STREAM] = {"schema": {"type": "string"}}
    return {"description": answer.description, "headers": headers(*names), "content": told}


def _refusals(codes: list[str]) -> Json:
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in by_status(codes).items()}


def _security(tag: str, reads: bool) -> list[dict[str, list[str]]]:
    """Any one of these; within one, all of them."""
    if tag not in SCOPES:
        return []
    scopes = [SCOPES[tag][not reads]]
    bearer, key = {"bearer": scopes}, {"apiKey": scopes}
    if tag == "accounts":
        return [bearer | key | {"organization": []}]
    return [bearer, key | {"actingUser": []}, bearer | key]
