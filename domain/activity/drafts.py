"""What a caller may say of an activity: everything of a new one, some of it to change one.

Unknown words are refused by name. In changes, absent leaves a field and null clears it, where it can be cleared.
"""

from pydantic import BaseModel, ConfigDict, Field

from domain.custom_fields import CustomFields
from domain.participants import Participants
from domain.values import (
    ABSENT,
    Attachments,
    Currency,
    Day,
    Flag,
    Instant,
    Line,
    Minutes,
    Money,
    Reference,
    Subject,
    Tags,
    Text,
)
from domain.vocabulary import ActivityType, Priority, RelatedType, Status


class Draft(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NewActivity(Draft):
    """Source: SynthesQ guide, "Creating Activities", and scenario 3 for status and completed_at."""

    type: ActivityType
    subject: Subject
    activityable_type: RelatedType
    activityable_id: Reference
    description: Text | None = None
    contact_id: Reference | None = None
    assigned_user_id: Reference | None = Field(None, description="Defaults to the caller")
    due_at: Instant | None = None
    duration_minutes: Minutes | None = None
    priority: Priority = Priority.MEDIUM
    location: Line | None = None
    reminder_at: Instant | None = None
    follow_up_required: Flag = False
    follow_up_date: Day | None = Field(None, description="Implies follow_up_required")
    follow_up_of_id: Reference | None = None
    create_follow_up: Flag = Field(False, description="Also create the follow-up, at follow_up_date")
    tags: Tags = []
    custom_fields: CustomFields = {}
    is_billable: Flag = False
    billable_rate: Money | None = Field(None, description="For an hour")
    currency: Currency | None = None
    participants: Participants = []
    attachment_urls: Attachments = []
    status: Status = Status.PENDING
    completed_at: Instant | None = Field(None, description="When it happened; only with status completed")
    outcome: Text | None = None


class ActivityChanges(Draft):
    """Source: SynthesQ guide, "Updating Activities": PUT and PATCH are both partial."""

    type: ActivityType = ABSENT
    subject: Subject = ABSENT
    activityable_type: RelatedType = ABSENT
    activityable_id: Reference = ABSENT
    description: Text | None = None
    contact_id: Reference | None = None
    assigned_user_id: Reference = ABSENT
    due_at: Instant | None = None
    duration_minutes: Minutes | None = None
    priority: Priority = ABSENT
    location: Line | None = None
    reminder_at: Instant | None = None
    follow_up_required: Flag | None = None
    follow_up_date: Day | None = None
    follow_up_of_id: Reference | None = None
    tags: Tags | None = None
    custom_fields: CustomFields | None = None
    is_billable: Flag | None = None
    billable_rate: Money | None = None
    currency: Currency | None = None
    participants: Participants | None = None
    attachment_urls: Attachments | None = None
    outcome: Text | None = None
    status: Status = ABSENT
    completed_at: Instant = ABSENT


class Recreation(Draft):
    """What a recreated activity has otherwise than the cancelled one. Source: "Recreate" in the status table."""

    type: ActivityType = ABSENT
    subject: Subject = ABSENT
    activityable_type: RelatedType = ABSENT
    activityable_id: Reference = ABSENT
    description: Text | None = None
    contact_id: Reference | None = None
    assigned_user_id: Reference = ABSENT
    due_at: Instant | None = None
    duration_minutes: Minutes | None = None
    priority: Priority = ABSENT
    location: Line | None = None
    reminder_at: Instant | None = None
    follow_up_required: Flag = ABSENT
    follow_up_date: Day | None = None
    tags: Tags = ABSENT
    custom_fields: CustomFields = ABSENT
    is_billable: Flag = ABSENT
    billable_rate: Money | None = None
    currency: Currency | None = None
    participants: Participants = ABSENT
    attachment_urls: Attachments = ABSENT


class Completion(Draft):
    """Source: SynthesQ guide, "Completing Activities". Tags given here are added."""

    outcome: Text | None = Field(None, description="What was accomplished: optional but strongly recommended")
    duration_minutes: Minutes | None = Field(None, description="Actual duration, if different from planned")
    follow_up_required: Flag | None = None
    follow_up_date: Day | None = None
    create_follow_up: Flag = False
    tags: Tags = []
    completed_at: Instant | None = Field(None, description="When it happened; defaults to now")
