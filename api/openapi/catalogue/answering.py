"""Answers as most operations give them."""

from typing import Any

from pydantic import BaseModel

from api.openapi.examples.activities import CURSOR_META, PAGE_META
from api.openapi.told import Answer

Json = dict[str, Any]


def enveloped(message: str, data: Any, **more: Any) -> Json:
    return {"success": True, "message": message, "data": data, **more}


def one(shape: type[BaseModel], message: str, data: Json, description: str, name: str = "answered") -> Answer:
    """A resource with its ETag."""
    return Answer(shape, {name: enveloped(message, data)}, description, etag=True)


def page(shape: type[BaseModel], message: str, row: Json, description: str) -> Answer:
    examples = {
        "by_page": enveloped(message, [row], meta=PAGE_META),
        "by_cursor": enveloped(message, [row], meta=CURSOR_META),
    }
    return Answer(shape, examples, description)
