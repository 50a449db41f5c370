"""Decisions about one API key: it is made once, and revoked once."""

from datetime import datetime

from domain.api_key.api_key import ApiKey
from domain.api_key.drafts import NewApiKey
from domain.api_key.events import ApiKeyCreated, ApiKeyEvent, ApiKeyRevoked
from domain.api_key.scopes import SCOPES
from domain.refusals import Unknown


def create_api_key(new: NewApiKey, *, id: str, secret_hmac: str, created_by: str, now: datetime) -> list[ApiKeyEvent]:
    scopes = tuple(scope for scope in SCOPES if scope in new.scopes)
    return [ApiKeyCreated(at=now, id=id, label=new.name, scopes=scopes, secret_hmac=secret_hmac, created_by=created_by)]


def revoke_api_key(key: ApiKey | None, *, now: datetime) -> list[ApiKeyEvent]:
    """For ever. Said twice, recorded once."""
    if key is None:
        raise Unknown("API key")
    return [] if key.revoked_at is not None else [ApiKeyRevoked(at=now)]
