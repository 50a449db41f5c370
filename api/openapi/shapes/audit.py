"""The log as auditors read it: entry by entry."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.openapi.shapes.activity import Change, Recorded, RecordedBy
from api.openapi.shapes.envelope import Answer, CursorMeta
from domain.vocabulary import RecordKind


class Whose(BaseModel):
    """What a fact happened to."""

    kind: str = Field(description="What it happened to: activity, record, api_key")
    id: str = Field(description="Which of them")
    record_kind: RecordKind | None


class AuditEvent(Recorded, Whose):
    """One recorded fact in its place in the organisation's log."""

    stream_id: UUID
    actor_id: str | None
    data: dict[str, Any] | None = Field(description="The fact as stored, without secrets; null: it cannot be read")


class FeedMeta(BaseModel):
    """Where this stretch stands in the log."""

    limit: int = Field(description="Entries on a page")
    position: int = Field(description="Everything up to here is known now: give it back as `after`, whenever you like")
    head: int
    next_cursor: str | None


class AuditEventPage(Answer[list[AuditEvent]]):
    """A stretch of the log, oldest first."""

    meta: FeedMeta


class AuditChange(RecordedBy, Whose):
    """One recorded fact, and what it changed."""

    changes: dict[str, Change] | None = Field(description="By field, before and after; null: it cannot be read")


class AuditChangePage(Answer[list[AuditChange]]):
    """A page of changes, oldest first."""

    meta: CursorMeta
