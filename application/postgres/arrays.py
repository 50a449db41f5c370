"""Arrays as PostgreSQL writes them. psycopg finds out for each element how it is written, which takes far longer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson


def array(of: str, values: Iterable[Any]) -> str:
    """The literal of an array of a type; none of the values is None."""
    return f"{{{','.join(map(_WRITTEN.get(of, str), values))}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "uuid": lambda key: key.hex,
    "text": _quoted,
    "bytea": lambda data: f'"\\\\x{data.hex()}"',
    "jsonb": lambda value: _quoted(orjson.dumps(dict(value)).decode()),
}
