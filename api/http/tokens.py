"""Bearer tokens: made for the command line, checked at the door. HS256 over a shared secret."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import jwt

SCOPES = ("activities:read", "activities:write", "records:read", "records:write", "audit:read", "admin")
DEFAULT_SCOPES = tuple(scope for scope in SCOPES if scope != "admin")
LONGEST = 8 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, for which organisation, with which rights, by which client."""

    organization_id: str
    user_id: str
    scopes: frozenset[str]
    client: str | None = None


class InvalidToken(Exception):
    """The token is not one to act upon. Its message never repeats it."""


def issue(secret: str, *, organization: str, user: str, scopes: Sequence[str], ttl: int, now: float) -> str:
    claims = {"sub": user, "org": organization, "scopes": list(scopes), "iat": int(now), "exp": int(now) + ttl}
    return jwt.encode(claims, secret, algorithm="HS256")


class Tokens:
    """Checks tokens. A token that was found valid is remembered, by its digest, until it expires."""

    def __init__(self, secret: str, *, leeway: int = 5, remembered: int = 4096) -> None:
        self._secret = secret
        self._leeway = leeway
        self._most = remembered
        self._valid: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    def caller(self, token: str) -> Caller:
        """Who a token speaks for. Raises InvalidToken."""
        if len(token) > LONGEST:
            raise InvalidToken("The token is too long")
        digest = sha256(token.encode(errors="surrogateescape")).digest()
        if (known := self._valid.get(digest)) is not None and time.time() < known[1]:
            return known[0]
        caller, expires = self._checked(token)
        self._valid[digest] = (caller, expires + self._leeway)
        if len(self._valid) > self._most:
            self._valid.popitem(last=False)
        return caller

    def _checked(self, token: str) -> tuple[Caller, float]:
        required = {"require": ["exp", "sub", "org"]}
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], leeway=self._leeway, options=required)
        except jwt.ExpiredSignatureError:
            raise InvalidToken("The token has expired") from None
        except (jwt.InvalidTokenError, ValueError):
            raise InvalidToken("The token is not valid") from None
        return _caller(claims), float(claims["exp"])


def _caller(claims: dict[str, object]) -> Caller:
    user, organization, scopes = claims["sub"], claims["org"], claims.get("scopes", [])
    if isinstance(scopes, str):
        scopes = scopes.split()
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise InvalidToken("The token's scopes are not a list")
    for name in (user, organization):
        if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isprintable():
            raise InvalidToken("The token names no user or no organisation")
    return Caller(str(organization), str(user), frozenset(scopes))
