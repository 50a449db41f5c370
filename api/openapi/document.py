"""The OpenAPI document: what FastAPI reads off the routes, completed from the catalogue."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.openapi import refusals
from api.openapi.catalogue import OPERATIONS
from api.openapi.headers import HEADERS, PARAMETERS, SECURITY_SCHEMES
from api.openapi.introduction import DESCRIPTION, SUMMARY, TAGS
from api.openapi.operation import completed
from api.openapi.schemas import schemas, used
from api.openapi.shapes.problem import SHAPES, Problem

Json = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")


def document_of(app: FastAPI) -> Json:
    """The whole document. Raises KeyError for a route that the catalogue tells nothing of."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=SUMMARY,
        description=DESCRIPTION,
        routes=app.routes,
        tags=[dict(tag) for tag in TAGS],
        servers=[{"url": "/"}],
    )
    for operations, method in list(_operations(document)):
        operations[method] = completed(operations[method], method)
    document["components"] = _components(document)
    return document


def _operations(document: Json) -> Iterator[tuple[Json, str]]:
    for operations in document["paths"].values():
        yield from ((operations, method) for method in _METHODS if method in operations)


def _components(document: Json) -> Json:
    shapes = [answer.shape for told in OPERATIONS.values() for answer in told.answers.values()]
    told = [operations[method]["responses"] for operations, method in _operations(document)]
    names = {ref["$ref"].rpartition("/")[2] for responses in told for ref in responses.values() if "$ref" in ref}
    known = schemas(document["components"]["schemas"], [*shapes, Problem, *SHAPES.values()])
    responses = {name: refusals.response(name) for name in sorted({*names, "method_not_allowed"})}
    return {
        "schemas": used(known, [document["paths"], responses]),
        "responses": responses,
        "parameters": PARAMETERS,
        "examples": refusals.EXAMPLES,
        "headers": HEADERS,
        "securitySchemes": SECURITY_SCHEMES,
    }
