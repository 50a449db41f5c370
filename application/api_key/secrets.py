"""The text of a key, `crm_<id>_<secret>`, and what it is recognised by.

The secret has 256 random bits: a fast keyed hash keeps it as well as a slow one would, and costs the door nothing.
"""

import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from ulid import ULID

_TEXT = re.compile("crm_([0-7][0-9A-HJKMNP-TV-Z]{25})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class KeyText:
    """Both halves of a key. Shown once; never stored, never logged."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self | None:
        found = _TEXT.fullmatch(text)
        return None if found is None else cls(*found.groups())

    def __str__(self) -> str:
        return f"crm_{self.id}_{self.secret}"

    def hmac(self, pepper: str) -> str:
        """What is stored of the secret."""
        return _digest(pepper, b"secret:" + self.secret.encode()).hex()


def new_key() -> KeyText:
    return KeyText(str(ULID()), secrets.token_hex(32))


def repeatable_key(pepper: str, owner: Sequence[str], fingerprint: bytes) -> KeyText:
    """The same key for the same request of the same owner: so it can be answered again, though no secret is kept."""
    said = json.dumps(owner).encode()
    number = _digest(pepper, b"repeated id:" + said)[:16]
    return KeyText(str(ULID(number)), _digest(pepper, b"repeated secret:" + fingerprint + said).hex())


def _digest(pepper: str, said: bytes) -> bytes:
    return hmac.digest(pepper.encode(), said, "sha256")
