"""What a caller may say of a record, kind by kind. Source: REQUIREMENTS section 5, "Directory fields"."""

from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic import WithJsonSchema as SchemaIs

from domain.custom_fields import CustomFields
from domain.values import ABSENT, Day, Flag, Line, Money, Percent, Reference, Subject, Tags, Text
from domain.vocabulary import RecordKind, Word


class CustomerStatus(Word):
    ACTIVE = "active"
    AT_RISK = "at_risk"
    INACTIVE = "inactive"
    CHURNED = "churned"
    SUSPENDED = "suspended"


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError("must be an IANA time zone, such as Europe/Vienna")
    return zone


TimeZone = Annotated[Line, AfterValidator(_known_zone), SchemaIs({"type": "string", "format": "time-zone"})]


class RecordDraft(BaseModel):
    """What every kind has. `name` is required of a new record and may never be null."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Subject = ABSENT
    account_id: Reference | None = None
    tags: Tags | None = None
    notes: Text | None = None
    attributes: CustomFields | None = None

    def said(self) -> dict[str, Any]:
        """The fields that were given, as plain JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)


class LeadDraft(RecordDraft):
    status: Line | None = None
    source: Line | None = None
    email: Line | None = None
    phone: Line | None = None


class CustomerDraft(RecordDraft):
    status: CustomerStatus | None = None
    email: Line | None = None
    phone: Line | None = None


class ContactDraft(RecordDraft):
    email: Line | None = None
    phone: Line | None = None
    title: Line | None = None
    customer_id: Reference | None = None


class AccountDraft(RecordDraft):
    email: Line | None = None
    phone: Line | None = None


class UserDraft(RecordDraft):
    email: Line | None = None
    time_zone: TimeZone | None = None


class OpportunityDraft(RecordDraft):
    customer_id: Reference | None = None
    value: Money | None = None
    probability: Percent | None = None
    expected_close_date: Day | None = None
    stage: Line | None = None
    description: Text | None = None
    source: Line | None = None
    budget_confirmed: Flag | None = None
    authority_confirmed: Flag | None = None
    need_confirmed: Flag | None = None
    timeline_confirmed: Flag | None = None
    discovery_notes: Text | None = None
    next_step: Text | None = None


DRAFTS: dict[RecordKind, type[RecordDraft]] = {
    RecordKind.LEAD: LeadDraft,
    RecordKind.CUSTOMER: CustomerDraft,
    RecordKind.OPPORTUNITY: OpportunityDraft,
    RecordKind.CONTACT: ContactDraft,
    RecordKind.ACCOUNT: AccountDraft,
    RecordKind.USER: UserDraft,
}
