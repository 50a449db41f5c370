"""Problem documents (RFC 9457), and what some kinds of them say besides."""

from typing import Literal

from pydantic import BaseModel, Field

from api.http.problems import KINDS
from api.openapi.shapes.activity import HistoryEvent
from domain.lifecycle import Action
from domain.values import ABSENT


class Problem(BaseModel):
    """Why a request was refused."""

    type: str = Field(json_schema_extra={"format": "uri-reference"}, description="Leads to a page about this kind")
    title: str = Field(description="What kind of problem it is, for people")
    status: int = Field(description="The status code of the answer")
    detail: str = Field(description="What is wrong with this request, for people")
    instance: str | None = Field(description="The path of the request")
    success: Literal[False]
    message: str = Field(description="The same as detail")
    code: str = Field(json_schema_extra={"enum": [*KINDS]}, description="The kind of problem, for programs")
    errors: dict[str, list[str]] = Field(description="What is wrong, by field")
    request_id: str | None = Field(description="To be named when asking about it")


class ActionNotAllowed(Problem):
    """The lifecycle does not allow this now."""

    allowed_actions: list[Action]


class BulkResult(BaseModel):
    """What became of one activity."""

    id: str = Field(description="The activity, as it was named")
    ok: bool = Field(description="Whether it was done")
    problem: ActionNotAllowed | Problem = Field(ABSENT, description="Only where ok is false")


class BulkRefused(Problem):
    """Atomic, and at least one activity was refused: nothing was done."""

    results: list[BulkResult]


class StaleVersion(Problem):
    """It has changed since the version of If-Match."""

    current_version: int = Field(description="The version it has now")
    events: list[HistoryEvent] = Field(description="What came between")


class Unavailable(Problem):
    """Not now. Nothing is known to have been stored."""

    reason: str = Field(ABSENT, description="Why the service is not ready")


SHAPES: dict[str, type[Problem]] = {
    "action_not_allowed": ActionNotAllowed,
    "bulk_refused": BulkRefused,
    "stale_version": StaleVersion,
    "unavailable": Unavailable,
}
"""By kind; every other is a Problem and no more."""
