"""An activity as surface S shows it: always the full resource, on lists with what the list is about."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.openapi.shapes.envelope import Answer, Page, Warned
from domain.custom_fields import JsonValue
from domain.lifecycle import Action
from domain.values import ABSENT
from domain.vocabulary import ActivityType, Priority, RelatedType, Status


class RelatedRecord(BaseModel):
    """A record in a few words; with `includes`, all of its fields but the long texts."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str | None = Field(description="null where the record is unknown to this service")


class RelatedPerson(RelatedRecord):
    """A contact or a user in a few words; with `includes`, all of its fields but the long texts."""

    email: str | None


class Participation(BaseModel):
    """Someone who takes part; only what is known of them is shown."""

    kind: Literal["user", "contact", "external"]
    id: str = ABSENT
    email: str = ABSENT
    name: str = ABSENT
    role: Literal["organizer", "required", "optional", "informed"] = ABSENT
    rsvp: Literal["needs_action", "accepted", "declined", "tentative"] = ABSENT
    attended: bool = ABSENT


class Activity(BaseModel):
    """One interaction with a lead, customer, opportunity, contact or account."""

    id: str
    version: int
    external_id: str | None
    type: ActivityType
    status: Status
    priority: Priority
    subject: str
    description: str | None
    activityable_type: RelatedType
    activityable_id: str
    activityable: RelatedRecord
    contact_id: str | None
    contact: RelatedPerson | None
    assigned_user_id: str
    assigned_user: RelatedPerson
    created_by: RelatedPerson
    due_at: datetime | None
    previous_due_at: datetime | None
    rescheduled_count: int
    reminder_at: datetime | None
    is_overdue: bool
    duration_minutes: int | None
    planned_duration_minutes: int | None
    actual_duration_minutes: int | None
    location: str | None
    follow_up_required: bool
    follow_up_date: date | None
    follow_up_of_id: str | None
    tags: list[str]
    custom_fields: dict[str, JsonValue]
    is_billable: bool
    billable_rate: float | None
    billable_amount: float | None
    currency: str | None
    participants: list[Participation]
    attachment_urls: list[str]
    outcome: str | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancellation_reason: str | None
    successor_id: str | None
    predecessor_id: str | None
    recreated_from_id: str | None
    allowed_actions: list[Action]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class Highlight(BaseModel):
    """HTML-escaped texts, the words that matched in `<mark>`."""

    subject: str = Field(description="The subject, with marks")
    description: str | None = Field(description="The description, with marks")


class FoundActivity(Activity):
    """An activity with the places where the words were found."""

    highlight: Highlight


class OverdueActivity(Activity):
    """An activity with the days since it was due."""

    days_overdue: int


class Obligation(BaseModel):
    """The follow-up that was promised when the activity was completed."""

    due_on: date | None
    state: Literal["open", "satisfied"] = Field(description="Whether it was kept")
    satisfied_by_id: str | None


class FollowUp(Activity):
    """The activity that opened an obligation to follow up, and the obligation."""

    follow_up: Obligation


class Actor(BaseModel):
    id: str
    name: str | None


class Change(BaseModel):
    before: Any = Field(description="What it was")
    after: Any = Field(description="What it became")


class Recorded(BaseModel):
    """What is told of every fact: what, when, by which command."""

    version: int = Field(description="The version it made")
    position: int
    type: str = Field(description="Which fact, and in which form it is stored")
    recorded_at: datetime
    happened_at: datetime
    client: str | None
    command_id: str | None


class RecordedBy(Recorded):
    """And who did it, and why."""

    actor: Actor
    reason: str | None


class HistoryEvent(RecordedBy):
    """One recorded fact: what, who, when, by which command, and what it changed."""

    changes: dict[str, Change]


class TypeOfActivity(BaseModel):
    value: ActivityType
    label: str = Field(description="What people call it")
    description: str
    use_cases: list[str] = Field(description="What it is commonly used for")


class ActivityAnswer(Warned[Activity]):
    """One activity."""


class ActivityPage(Page[Activity]):
    """A page of activities."""


class FoundActivityPage(Page[FoundActivity]):
    """A page of search results, best first."""


class OverdueActivityPage(Page[OverdueActivity]):
    """A page of overdue activities."""


class FollowUpPage(Page[FollowUp]):
    """A page of follow-ups: each the activity that opened it."""


class HistoryAnswer(Answer[list[HistoryEvent]]):
    """Everything recorded of one activity or record, oldest first."""


class TypesAnswer(Answer[list[TypeOfActivity]]):
    """The types of activity there are."""
