"""Checkpoints as text that is signed: C2SP signed-note and tlog-checkpoint, with Ed25519.

A log's origin is a name and the organisation in it, so that no organisation's checkpoint can pass for another's:
`activities/acme`. The organisation's id is percent-encoded where it is not letters, digits and `_.-~`.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Self
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"


class NotACheckpoint(ValueError):
    """A text that is no checkpoint of this origin signed by this key; the message says why."""


def origin_of(name: str, organization_id: str) -> str:
    return f"{name}/{quote(organization_id, safe='')}"


def organization_of(origin: str) -> str:
    return unquote(origin.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who signs for an origin: what an auditor is given out of band."""

    origin: str
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.origin.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def fingerprint(self) -> str:
        """The same for all organisations."""
        return sha256(self.public).hexdigest()

    def __str__(self) -> str:
        return f"{self.origin}+{self.id.hex()}+{b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """So many events had this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def signed(self, key: Ed25519PrivateKey) -> str:
        """The note, to be published."""
        who = VerifierKey(self.origin, key.public_key().public_bytes_raw())
        signature = b64encode(who.id + key.sign(self.text.encode())).decode()
        return f"{self.text}\n{_DASH} {self.origin} {signature}\n"

    @classmethod
    def read(cls, note: str, key: VerifierKey) -> Self:
        """The checkpoint a note says, once its signature is verified. Raises NotACheckpoint."""
        text, found, signatures = note.partition("\n\n")
        lines = text.split("\n")
        if not found or len(lines) < 3:
            raise NotACheckpoint("it is no signed checkpoint")
        if lines[0] != key.origin:
            raise NotACheckpoint(f"it is of {lines[0]}, not of {key.origin}")
        _verify(f"{text}\n", signatures, key)
        try:
            size, root = int(lines[1]), b64decode(lines[2], validate=True)
        except ValueError:
            raise NotACheckpoint("its size or its root cannot be read") from None
        if lines[1] != str(size) or len(root) != 32:
            raise NotACheckpoint("its size or its root cannot be read")
        return cls(key.origin, size, root)


def _verify(text: str, signatures: str, key: VerifierKey) -> None:
    """Signatures by others are passed over; one by the key must be there, and right."""
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, signature = rest.partition(" ")
        if dash != _DASH or name != key.origin:
            continue
        try:
            signed = b64decode(signature, validate=True)
            if signed[:4] == key.id:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signed[4:], text.encode())
                return
        except (ValueError, InvalidSignature):
            raise NotACheckpoint("its signature is not right") from None
    raise NotACheckpoint("it is not signed by this key")
