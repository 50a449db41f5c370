"""What the document says of an operation that its route does not say by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

Examples = Mapping[str, Any]
"""By name, with underscores for spaces."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered with one status code: its shape, and examples of it; `streamed`: as server-sent events too."""

    shape: type[BaseModel]
    examples: Examples
    description: str
    etag: bool = False
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """`refusals` are the problems of this operation alone; `description` replaces the route's docstring."""

    summary: str
    answers: Mapping[int, Answer]
    bodies: Examples = field(default_factory=dict)
    refusals: Sequence[str] = ()
    description: str | None = None
