"""What a token must say, before its signature is looked at and after."""

from collections.abc import Mapping
from typing import Any

import jwt

from api.http.caller import Caller

LONGEST = 8 * 1024
_NEVER = ("crit", "jku", "x5u", "x5c", "jwk")
"""Headers that ask for something this service does not know, or bring the very key they are to be checked with."""


class InvalidToken(Exception):
    """The token is not one to act upon. Its message never repeats it."""


def header_of(token: bytes) -> tuple[str, str | None]:
    """The algorithm and the key id a token names. Raises InvalidToken."""
    if len(token) > LONGEST:
        raise InvalidToken("The token is too long")
    try:
        header = jwt.get_unverified_header(token)
    except Exception:  # noqa: BLE001  whatever a stranger's bytes make the library raise
        raise InvalidToken("The token is not valid") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None) or any(n in header for n in _NEVER):
        raise InvalidToken("The token is not valid")
    return algorithm, key_id


def caller_in(claims: Mapping[str, Any]) -> Caller:
    """Whom verified claims speak for. Raises InvalidToken."""
    scopes = claims.get("scopes", [])
    if isinstance(scopes, str):
        scopes = scopes.split()
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise InvalidToken("The token's scopes are not a list")
    user, organization = _name(claims["sub"]), _name(claims["org"])
    if user is None or organization is None:
        raise InvalidToken("The token names no user or no organisation")
    return Caller(organization, user, frozenset(scopes))


def _name(said: object) -> str | None:
    return said if isinstance(said, str) and 1 <= len(said) <= 64 and said.isprintable() else None
