"""What JSON Schema can say of a type besides what Pydantic tells by itself. Nothing is checked by it."""

from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Schema:
    """An annotation whose words are added to the schema of its type."""

    def __init__(self, **words: Any) -> None:
        self._words = words

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | self._words
