"""API keys, and the state of the service."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.openapi.shapes.envelope import Answer, Page
from domain.api_key.scopes import Scope
from domain.values import ABSENT


class ApiKey(BaseModel):
    """A key as it may be shown: everything but what it is recognised by."""

    id: str
    name: str
    scopes: list[Scope]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


class ChangedApiKey(ApiKey):
    """A key as it is after a command."""

    version: int


class MadeApiKey(ChangedApiKey):
    """A new key, with its text."""

    key: str = Field(description="The key's text, shown this once")


class ListedApiKey(ApiKey):
    """A key, and when it was last used."""

    last_used_at: datetime | None


class ApiKeyMade(Answer[MadeApiKey]):
    """The key that was made, with its text."""


class ApiKeyAnswer(Answer[ChangedApiKey]):
    """One API key."""


class ApiKeyPage(Page[ListedApiKey]):
    """A page of API keys, oldest first."""


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Ready(BaseModel):
    """Commands and questions can be served."""

    status: Literal["ready", "degraded"]
    parked: int = Field(ABSENT, description="Activities with an event no table could take; only where there are any")
    audit: str = Field(ABSENT, description="What is wrong with proofs; only where something is")
