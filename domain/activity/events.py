"""Facts of an activity. Their names and fields are stored for ever: a change is a new version beside the old one.

Every fact says when it was recorded (`at`, UTC). A fact stores exactly the fields it was given, so that in
`Updated` an absent field means untouched and null means cleared. No fact is ever refused on reading: types
here are loose on purpose, rules live in the decisions.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from domain.vocabulary import ActivityType, Priority, RelatedType


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    at: datetime


class Person(BaseModel):
    """A participant as stored."""

    model_config = ConfigDict(frozen=True)

    kind: str
    id: str | None = None
    email: str | None = None
    name: str | None = None
    role: str | None = None
    rsvp: str | None = None
    attended: bool | None = None


class Created(Fact):
    """An activity came to be, pending. Where it was created further along, facts saying so follow at once."""

    name = "activity.created.v1"
    id: str
    created_by: str
    type: ActivityType
    subject: str
    activityable_type: RelatedType
    activityable_id: str
    assigned_user_id: str
    description: str | None = None
    contact_id: str | None = None
    due_at: datetime | None = None
    duration_minutes: int | None = None
    priority: Priority = Priority.MEDIUM
    location: str | None = None
    reminder_at: datetime | None = None
    follow_up_required: bool = False
    follow_up_date: date | None = None
    follow_up_of_id: str | None = None
    tags: tuple[str, ...] = ()
    custom_fields: dict[str, Any] = Field(default_factory=dict)
    is_billable: bool = False
    billable_rate: Decimal | None = None
    currency: str | None = None
    participants: tuple[Person, ...] = ()
    attachment_urls: tuple[str, ...] = ()
    predecessor_id: str | None = None
    recreated_from_id: str | None = None
    external_id: str | None = None


class Updated(Fact):
    """Some fields got other values. Only the fields that changed are set."""

    name = "activity.updated.v1"
    type: ActivityType | None = None
    subject: str | None = None
    description: str | None = None
    activityable_type: RelatedType | None = None
    activityable_id: str | None = None
    contact_id: str | None = None
    assigned_user_id: str | None = None
    duration_minutes: int | None = None
    priority: Priority | None = None
    location: str | None = None
    reminder_at: datetime | None = None
    follow_up_required: bool | None = None
    follow_up_date: date | None = None
    follow_up_of_id: str | None = None
    tags: tuple[str, ...] | None = None
    custom_fields: dict[str, Any] | None = None
    is_billable: bool | None = None
    billable_rate: Decimal | None = None
    currency: str | None = None
    participants: tuple[Person, ...] | None = None
    attachment_urls: tuple[str, ...] | None = None
    outcome: str | None = None


class Rescheduled(Fact):
    """The due date was set, moved or taken away; from deferred this also makes the activity pending again."""

    name = "activity.rescheduled.v1"
    due_at: datetime | None
    reminder_at: datetime | None
    reason: str | None = None
    priority: Priority | None = None


class Started(Fact):
    name = "activity.started.v1"


class Deferred(Fact):
    name = "activity.deferred.v1"
    reason: str | None = None


class Waited(Fact):
    """Work stopped for something outside to happen."""

    name = "activity.waited.v1"
    reason: str | None = None


class Resumed(Fact):
    """What was waited for has happened."""

    name = "activity.resumed.v1"


class Completed(Fact):
    """It is done. `completed_at` is when it happened; the billable amount is frozen here."""

    name = "activity.completed.v1"
    completed_at: datetime
    outcome: str | None = None
    actual_duration_minutes: int | None = None
    tags_added: tuple[str, ...] = ()
    follow_up_required: bool | None = None
    follow_up_date: date | None = None
    billable_amount: Decimal | None = None


class Cancelled(Fact):
    name = "activity.cancelled.v1"
    reason: str | None = None
    successor_id: str | None = None


class Deleted(Fact):
    name = "activity.deleted.v1"


class Restored(Fact):
    name = "activity.restored.v1"


class PersonalDataErased(Fact):
    """What `fields`, and the participants at the places `people`, said was of a person whose data were erased."""

    name = "activity.personal_data_erased.v1"
    erasure_id: str
    fields: tuple[str, ...] = ()
    people: tuple[int, ...] = ()


ActivityEvent = (
    Created
    | Updated
    | Rescheduled
    | Started
    | Deferred
    | Waited
    | Resumed
    | Completed
    | Cancelled
    | Deleted
    | Restored
    | PersonalDataErased
)
