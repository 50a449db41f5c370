"""Facts of an API key. Names and fields are stored for ever; the secret is never among them."""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class ApiKeyFact(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: ClassVar[str]
    at: datetime


class ApiKeyCreated(ApiKeyFact):
    """`secret_hmac` is what the secret is recognised by: HMAC-SHA256 under the server's pepper, in hex."""

    name = "api_key.created.v1"
    id: str
    label: str
    scopes: tuple[str, ...]
    secret_hmac: str
    created_by: str


class ApiKeyRevoked(ApiKeyFact):
    name = "api_key.revoked.v1"


ApiKeyEvent = ApiKeyCreated | ApiKeyRevoked
