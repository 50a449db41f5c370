"""An activity as surface T shows it."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.accounts.words import StatusHere, TypeHere
from api.openapi.shapes.activity import Participation
from api.openapi.shapes.envelope import Answer


class StatusConfiguration(BaseModel):
    """The status in full, where `status` shows but three."""

    value: str = Field(description="The true status, in upper case")
    label: str = Field(description="What people call it")


class AccountActivity(BaseModel):
    """One interaction with an account."""

    id: int
    uid: str
    accountId: str
    account: str | None
    activityTimestamp: datetime | None
    duration: int | None
    location: str | None
    type: TypeHere
    status: StatusHere
    statusConfiguration: StatusConfiguration
    title: str = Field(description="What it is about, in a line")
    description: str | None
    participants: list[Participation]
    attachmentUrls: list[str]
    isActive: bool
    creator: str | None
    creatorId: str
    creatorEmail: str | None
    createdAt: datetime
    updatedAt: datetime
    deletedAt: datetime | None


class AccountMeta(BaseModel):
    page: int = Field(description="The page's number")
    limit: int = Field(description="Rows on a page")
    total: int


class AccountActivityAnswer(Answer[AccountActivity]):
    """One activity of an account."""


class AccountActivityPage(Answer[list[AccountActivity]]):
    """A page of activities, the latest first."""

    meta: AccountMeta
