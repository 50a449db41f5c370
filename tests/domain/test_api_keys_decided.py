"""An API key is made once and revoked once."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from domain.api_key.api_key import ApiKey, evolve_api_key
from domain.api_key.decisions import create_api_key, revoke_api_key
from domain.api_key.drafts import NewApiKey
from domain.api_key.events import ApiKeyCreated, ApiKeyEvent, ApiKeyRevoked
from domain.api_key.scopes import DEFAULT_SCOPES, SCOPES
from domain.refusals import Unknown

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 21, 12, tzinfo=UTC)


def created(**said: object) -> list[ApiKeyEvent]:
    new = NewApiKey.model_validate({"name": " zapier "} | said)
    return create_api_key(new, id="k-1", secret_hmac="00", created_by="u-1", now=NOON)


def after(*facts: ApiKeyEvent) -> ApiKey | None:
    key = None
    for fact in facts:
        key = evolve_api_key(key, fact)
    return key


def test_a_key_is_made_with_what_it_is_recognised_by() -> None:
    assert created() == [
        ApiKeyCreated(at=NOON, id="k-1", label="zapier", scopes=DEFAULT_SCOPES, secret_hmac="00", created_by="u-1")
    ]


def test_scopes_are_granted_once_each_and_in_one_order() -> None:
    key = after(*created(scopes=[*reversed(SCOPES), "admin"]))
    assert key is not None and key.scopes == SCOPES


@pytest.mark.parametrize("scopes", [[], ["everything"], ["Admin"], "admin", None])
def test_scopes_that_are_none_are_refused(scopes: object) -> None:
    with pytest.raises(ValidationError):
        created(scopes=scopes)


def test_a_revoked_key_is_revoked() -> None:
    key = after(*created(), *revoke_api_key(after(*created()), now=LATER))
    assert key is not None
    assert (key.version, key.revoked_at) == (2, LATER)


def test_revoked_twice_is_recorded_once() -> None:
    revoked = after(*created(), ApiKeyRevoked(at=NOON))
    assert revoke_api_key(revoked, now=LATER) == []


def test_a_key_nobody_made_cannot_be_revoked() -> None:
    with pytest.raises(Unknown):
        revoke_api_key(None, now=NOON)
    with pytest.raises(ValueError):
        evolve_api_key(None, ApiKeyRevoked(at=NOON))
