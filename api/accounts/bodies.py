"""What callers say of an account's activities. Fields have the domain's names, and in JSON this surface's."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.accounts.words import StatusHere, TypeHere, named
from api.http.parameters import Commas, PageNumber, PerPage
from application.event_store.mapper import record_key
from domain.activity.drafts import ActivityChanges, NewActivity
from domain.participants import Participants
from domain.values import ABSENT, Attachments, Instant, Minutes, Reference, Subject, Text
from domain.vocabulary import OPEN, ActivityType, RecordKind, RelatedType, Status
from projections.filters import ActivityFilter
from projections.paging import Place


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=named, extra="forbid", frozen=True, hide_input_in_errors=True)


class NewAccountActivity(_Said):
    """Source: Thena Activities, "Standard fields"."""

    activityable_id: Reference
    due_at: Instant = Field(description="When it is due, or when it happened if it is COMPLETED")
    duration_minutes: Minutes
    location: Subject
    type: TypeHere = Field(ActivityType.CALL, json_schema_extra={"default": "CALL"})
    status: StatusHere = Field(Status.PENDING, json_schema_extra={"default": "PENDING"})
    participants: Participants | None = None
    attachment_urls: Attachments | None = None
    subject: Subject | None = Field(None, description="Without one: type and account name")
    description: Text | None = None

    @property
    def cancelled(self) -> bool:
        return self.status is Status.CANCELLED

    def new(self) -> NewActivity:
        """What was COMPLETED is due when it happened, so that it is found by date on both surfaces."""
        said = {name: value for name, value in self if value is not None and name != "status"}
        if self.status is Status.COMPLETED:
            said |= {"status": self.status, "completed_at": self.due_at}
        return NewActivity(**{"subject": self.type.label, "activityable_type": RelatedType.ACCOUNT} | said)


class AccountActivityChanges(_Said):
    """Partial: null empties what may be empty, a null title is made anew, absent leaves a field as it is."""

    activityable_id: Reference = ABSENT
    due_at: Instant = Field(ABSENT, description="The new due date, or when it happened if it gets COMPLETED")
    duration_minutes: Minutes = ABSENT
    location: Subject = ABSENT
    type: TypeHere = ABSENT
    status: StatusHere = ABSENT
    participants: Participants | None = None
    attachment_urls: Attachments | None = None
    subject: Subject | None = None
    description: Text | None = None

    def changes(self) -> ActivityChanges:
        """All but the timestamp, whose meaning depends on the activity."""
        said = {name: getattr(self, name) for name in self.model_fields_set - {"due_at"}}
        if "activityable_id" in said:
            said["activityable_type"] = RelatedType.ACCOUNT
        return ActivityChanges.model_construct(**said)


class AccountListParameters(BaseModel):
    """Which activities, and which page of them."""

    model_config = ConfigDict(alias_generator=named, extra="forbid")

    account_id: Reference | None = None
    type: Annotated[list[TypeHere], Commas] = []
    status: Annotated[list[StatusHere], Commas] = []
    page: PageNumber = 1
    limit: PerPage = 25

    def filter(self) -> ActivityFilter:
        account = None if self.account_id is None else record_key(RecordKind.ACCOUNT, self.account_id)
        statuses: list[Any] = [s for status in self.status for s in (OPEN if status in OPEN else (status,))]
        return ActivityFilter(types=tuple(self.type), statuses=tuple(statuses), account=account)

    def place(self) -> Place:
        return Place(per_page=self.limit, page=self.page)
