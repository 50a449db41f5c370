"""Fields of the caller's own: any JSON that the read tables can hold, within bounds."""

import json
import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from typing_extensions import TypeAliasType

from domain.json_schema import Schema
from domain.values import CONTROLS, PlainText, no_control_characters

MOST_KEYS = 100
MOST_BYTES = 16 * 1024


def _holdable(value: Any) -> None:
    """Refuse, anywhere inside, what the read tables could not hold."""
    if isinstance(value, str):
        no_control_characters(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _holdable(key)
            _holdable(inner)
    elif isinstance(value, list):
        for inner in value:
            _holdable(inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must not contain NaN or Infinity")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("must not contain integers beyond 64 bits")


def _bounded(fields: Any) -> Any:
    if not isinstance(fields, dict):
        return fields  # what else it is, Pydantic will say
    _holdable(fields)
    if len(fields) > MOST_KEYS:
        raise ValueError(f"must have at most {MOST_KEYS} keys")
    if _json_bytes(fields) > MOST_BYTES:
        raise ValueError(f"must be at most {MOST_BYTES} bytes of JSON")
    return fields


def _json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


_KEYS = Schema(propertyNames={"pattern": f"^[^{CONTROLS}]*$"})
JsonValue = TypeAliasType(
    "JsonValue",
    "bool | Annotated[float, Field(ge=-(2**63), lt=2**63)] | PlainText | list[JsonValue]"
    " | Annotated[dict[str, JsonValue], _KEYS] | None",
)
"""What the values in custom fields are; for their schema only."""
_Fields = Annotated[dict[str, JsonValue], Field(max_length=MOST_KEYS), _KEYS]
CustomFields = Annotated[dict[str, Any], BeforeValidator(_bounded, json_schema_input_type=_Fields)]
