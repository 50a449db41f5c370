"""Bearer tokens: made for the command line, checked at the door."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import jwt

from api.http.caller import Caller
from api.http.claims import InvalidToken, caller_in, header_of
from domain.api_key.scopes import DEFAULT_SCOPES, SCOPES

__all__ = ["DEFAULT_SCOPES", "SCOPES", "Caller", "InvalidToken", "Key", "Keys", "SharedSecret", "Tokens", "issue"]

FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Key:
    """What a token's signature is checked with, and until when (as the clock tells) it is known to be good."""

    material: Any
    good_until: float = FOR_EVER


class Keys(Protocol):
    def opened(self) -> AbstractAsyncContextManager[object]:
        """While it is open, keys can be had."""

    async def key_for(self, algorithm: str, key_id: str | None) -> Key | None:
        """The key of that name, if it goes with that algorithm. Raises Unavailable where keys cannot be had."""


class SharedSecret:
    """One key, for HS256 and nothing else."""

    def __init__(self, secret: str) -> None:
        self._key = Key(secret)

    def opened(self) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def key_for(self, algorithm: str, key_id: str | None) -> Key | None:
        return self._key if algorithm == "HS256" else None


def issue(
    secret: str,
    *,
    organization: str,
    user: str,
    scopes: Sequence[str],
    ttl: int,
    now: float,
    issuer: str | None = None,
    audience: str | None = None,
) -> str:
    claims = {"sub": user, "org": organization, "scopes": list(scopes), "iat": int(now), "exp": int(now) + ttl}
    marks = {"iss": issuer, "aud": audience}
    return jwt.encode(claims | {k: v for k, v in marks.items() if v is not None}, secret, algorithm="HS256")


class Tokens:
    """Checks tokens. One that was found valid is remembered, by its digest, for as long as it and its key are good."""

    def __init__(
        self,
        keys: Keys,
        *,
        leeway: int = 5,
        issuer: str | None = None,
        audience: str | None = None,
        remembered: int = 4096,
    ) -> None:
        self._keys = keys
        self._leeway = leeway
        self._issuer = issuer
        self._audience = audience
        self._most = remembered
        self._valid: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()

    async def caller(self, token: bytes) -> Caller:
        """Who a token speaks for. Raises InvalidToken, and Unavailable where that cannot be told now."""
        digest = sha256(token).digest()
        if (known := self._valid.get(digest)) is not None and time.time() < known[1]:
            return known[0]
        algorithm, key_id = header_of(token)
        if (key := await self._keys.key_for(algorithm, key_id)) is None:
            raise InvalidToken("The token is not valid")
        caller, expires = self._checked(token, algorithm, key)
        self._valid[digest] = (caller, min(expires + self._leeway, key.good_until))
        if len(self._valid) > self._most:
            self._valid.popitem(last=False)
        return caller

    def _checked(self, token: bytes, algorithm: str, key: Key) -> tuple[Caller, float]:
        try:
            claims = jwt.decode(
                token,
                key.material,
                algorithms=[algorithm],
                leeway=self._leeway,
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "sub", "org"], "verify_aud": self._audience is not None},
            )
            return caller_in(claims), float(claims["exp"])
        except jwt.ExpiredSignatureError:
            raise InvalidToken("The token has expired") from None
        except InvalidToken:
            raise
        except Exception:  # noqa: BLE001  whatever a stranger's claims make the library raise, they are no credential
            raise InvalidToken("The token is not valid") from None
