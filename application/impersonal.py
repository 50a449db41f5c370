"""What may be logged of failures, and of what libraries say: their kinds and places, never the values in them.

A failure's own words are not logged: a database repeats in them what it was given.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

_VALUES_BEGIN = re.compile(r"[\n(<'\"=:\[{]")
_DEEPEST = 12


class _Hidden:
    """Stands for a value: says its type."""

    def __init__(self, value: object) -> None:
        self._type = type(value).__name__

    def __str__(self) -> str:
        return f"<{self._type}>"

    __repr__ = __str__


def without_values(message: str, values: Any) -> str:
    """A library's message: numbers stay, of everything else the type; what it put together itself is cut short."""
    try:
        if isinstance(values, Mapping):
            return message % {name: _hidden(value) for name, value in values.items()}
        if values:
            return message % tuple(_hidden(value) for value in values)
    except (TypeError, ValueError):  # a type's name does not go where a number was to go
        pass
    return _VALUES_BEGIN.split(message, maxsplit=1)[0].strip()


def _hidden(value: object) -> object:
    return value if isinstance(value, int | float) else _Hidden(value)


def failure(error: BaseException) -> dict[str, Any]:
    """By its type and place, and what it came of; with the state a database gave it."""
    chain = list(_chain(error))
    causes = [_name(cause) for cause in chain[1:]]
    return {"failure": _name(error), "at": _places(error.__traceback__)} | ({"because": causes} if causes else {})


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _name(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__module__}.{type(error).__qualname__}" + (f" ({state})" if state else "")


def _places(traceback: TracebackType | None) -> list[str]:
    """Where it went through, the innermost last: file, line and function."""
    places = [
        f"{'/'.join(Path(frame.f_code.co_filename).parts[-3:])}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(traceback)
    ]
    return places[-_DEEPEST:]
