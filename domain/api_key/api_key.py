"""What is known of an API key, and how each fact changes it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.api_key.events import ApiKeyCreated, ApiKeyEvent


class ApiKey(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    name: str
    scopes: tuple[str, ...]
    secret_hmac: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None


def evolve_api_key(key: ApiKey | None, fact: ApiKeyEvent) -> ApiKey:
    """The key after `fact`. Believes every fact."""
    if isinstance(fact, ApiKeyCreated):
        return ApiKey(
            id=fact.id,
            version=1,
            name=fact.label,
            scopes=fact.scopes,
            secret_hmac=fact.secret_hmac,
            created_by=fact.created_by,
            created_at=fact.at,
        )
    if key is None:
        raise ValueError(f"{fact.name} cannot be the first fact of an API key")
    return key.model_copy(update={"version": key.version + 1, "revoked_at": fact.at})
