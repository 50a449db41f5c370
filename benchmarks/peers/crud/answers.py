"""What is answered: the same content as the service's own, as response models."""

from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.lifecycle import Action

T = TypeVar("T")


class Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RecordOut(Answer):
    id: str
    name: str
    email: str | None
    phone: str | None
    value: float | None
    stage: str | None


class PersonOut(Answer):
    id: str
    name: str
    email: str | None


class ActivityOut(Answer):
    id: UUID
    version: int
    type: str
    status: str
    priority: str
    subject: str
    description: str | None
    activityable_type: str
    activityable_id: str
    contact_id: str | None
    assigned_user_id: str
    due_at: datetime | None
    previous_due_at: datetime | None
    rescheduled_count: int
    reminder_at: datetime | None
    planned_duration_minutes: int | None
    actual_duration_minutes: int | None
    duration_minutes: int | None
    location: str | None
    follow_up_required: bool
    follow_up_date: date | None
    follow_up_of_id: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    is_billable: bool
    billable_rate: float | None
    billable_amount: float | None
    currency: str | None
    participants: list[Any]
    attachment_urls: list[str]
    outcome: str | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None
    successor_id: str | None
    predecessor_id: str | None
    recreated_from_id: str | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    allowed_actions: tuple[Action, ...]
    is_overdue: bool
    activityable: RecordOut | None
    contact: PersonOut | None
    assigned_user: PersonOut | None
    created_by: PersonOut | None


class LateOut(ActivityOut):
    days_overdue: int


class Highlight(Answer):
    subject: str
    description: str | None


class FoundOut(ActivityOut):
    highlight: Highlight


class Meta(BaseModel):
    per_page: int
    current_page: int | None = None
    total: int | None = None
    last_page: int | None = None
    next_cursor: str | None = None


class One(BaseModel, Generic[T]):
    success: bool = True
    message: str
    data: T


class Many(One[list[T]], Generic[T]):
    meta: Meta


Page = Annotated[int, Field(ge=1, le=1_000_000)]
PerPage = Annotated[int, Field(ge=1, le=100)]
