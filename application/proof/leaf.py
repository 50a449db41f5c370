"""The leaf of an event: a digest of everything its stored row says. For ever: signed trees are made of these.

SHA-256 over 0x00 and these fields, each preceded by its length in bytes (4 bytes, big-endian): the tag; the
organisation's id; the position; the stream's id (a UUID in its usual form); the version; the stored name of the fact;
the instant it was recorded (UTC, six decimals, Z); how many pairs of metadata there are; key and value of each pair
in the order of the keys' bytes; the state's bytes as stored. Numbers are decimal, text is UTF-8.

The command's id in the metadata is 80 bits nobody can guess: a leaf gives no hint of what a short text says.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

TAG = b"activities/leaf/v1"


def instant(recorded_at: datetime) -> bytes:
    """An instant as leaves have it."""
    return f"{recorded_at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z".encode()


class Leaves:
    """Makes the leaves of one organisation's events."""

    __slots__ = ("_begin",)

    def __init__(self, organization_id: str) -> None:
        self._begin = b"\x00" + _field(TAG) + _field(organization_id.encode())

    def of(
        self,
        position: int,
        stream: UUID,
        version: int,
        topic: str,
        recorded_at: bytes,
        metadata: Mapping[str, Any],
        state: bytes,
    ) -> bytes:
        """The 32 bytes of an event's leaf; `recorded_at` is an `instant`."""
        fields = [b"%d" % position, str(stream).encode(), b"%d" % version, topic.encode(), recorded_at]
        fields.append(b"%d" % len(metadata))
        for key, value in sorted((key.encode(), value) for key, value in metadata.items()):
            fields += (key, value.encode() if isinstance(value, str) else _no_text(value))
        fields.append(state)
        return sha256(self._begin + b"".join([len(f).to_bytes(4, "big") + f for f in fields])).digest()


def _field(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _no_text(value: object) -> bytes:
    """We write text only. What else somebody put there has a leaf, too, and one no text has: text has no NUL."""
    return b"\x00" + json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
