"""The one table of activities. Names of related records are joined into every select."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from benchmarks.peers.crud.tables import Base, Record
from domain.lifecycle import Action, allowed_actions
from domain.vocabulary import CAN_BE_OVERDUE, Priority, Status

PRIORITIES = tuple(Priority)
_WORDS = "setweight(to_tsvector('simple', subject), 'A') || to_tsvector('simple', coalesce(description, ''))"


def _named(of: str, kind: str) -> Any:
    """The record a column refers to."""
    same = f"foreign(Activity.organization_id) == Record.organization_id, foreign(Activity.{of}) == Record.id"
    return relationship(
        Record, primaryjoin=f"and_({same}, Record.kind == {kind})", viewonly=True, lazy="joined", uselist=False
    )


class Activity(Base):
    __tablename__ = "activities"
    __mapper_args__ = {"eager_defaults": False}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    type: Mapped[str]
    status: Mapped[str]
    priority_rank: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[str]
    description: Mapped[str | None]
    activityable_type: Mapped[str]
    activityable_id: Mapped[str]
    contact_id: Mapped[str | None]
    assigned_user_id: Mapped[str]
    created_by_id: Mapped[str]
    due_at: Mapped[datetime | None]
    previous_due_at: Mapped[datetime | None]
    rescheduled_count: Mapped[int] = mapped_column(default=0)
    reminder_at: Mapped[datetime | None]
    planned_duration_minutes: Mapped[int | None]
    actual_duration_minutes: Mapped[int | None]
    location: Mapped[str | None]
    follow_up_required: Mapped[bool] = mapped_column(default=False)
    follow_up_date: Mapped[date | None]
    follow_up_of_id: Mapped[str | None]
    tags: Mapped[list[str]]
    custom_fields: Mapped[dict[str, Any]]
    is_billable: Mapped[bool] = mapped_column(default=False)
    billable_rate: Mapped[Decimal | None]
    billable_amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    participants: Mapped[list[Any]] = mapped_column(JSONB)
    attachment_urls: Mapped[list[str]]
    outcome: Mapped[str | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None]
    successor_id: Mapped[str | None]
    predecessor_id: Mapped[str | None]
    recreated_from_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    words: Mapped[str] = deferred(mapped_column(TSVECTOR, Computed(_WORDS, persisted=True)))

    activityable: Mapped[Record | None] = _named("activityable_id", "foreign(Activity.activityable_type)")
    contact: Mapped[Record | None] = _named("contact_id", "'contact'")
    assigned_user: Mapped[Record | None] = _named("assigned_user_id", "'user'")
    created_by: Mapped[Record | None] = _named("created_by_id", "'user'")
    highlight = None  # set by search

    @property
    def priority(self) -> Priority:
        return PRIORITIES[self.priority_rank - 1]

    @property
    def duration_minutes(self) -> int | None:
        return self.planned_duration_minutes if self.actual_duration_minutes is None else self.actual_duration_minutes

    @property
    def allowed_actions(self) -> tuple[Action, ...]:
        return allowed_actions(Status(self.status), deleted=self.deleted_at is not None)

    @property
    def days_overdue(self) -> int:
        return (datetime.now(UTC) - self.due_at).days if self.due_at is not None else 0

    @property
    def is_overdue(self) -> bool:
        return self.status in CAN_BE_OVERDUE and self.due_at is not None and self.due_at < datetime.now(UTC)
