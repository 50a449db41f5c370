"""The envelope around every answer that went well, as bytes: {success, message, data} and meta or warnings."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from starlette.responses import Response

from projections.resource import to_json

JSON = "application/json"


def enveloped(
    message: str,
    data: bytes,
    *,
    meta: Mapping[str, Any] | None = None,
    warnings: Sequence[Mapping[str, str]] = (),
) -> bytes:
    pieces = [b'{"success":true,"message":', to_json(message), b',"data":', data]
    if meta is not None:
        pieces += [b',"meta":', to_json(meta)]
    if warnings:
        pieces += [b',"warnings":', to_json(warnings)]
    return b"".join([*pieces, b"}"])


def etag(version: int, body: bytes) -> str:
    """Version plus representation: names, the time of day and includes change a body without a new version."""
    return f'"{version}.{blake2b(body, digest_size=6).hexdigest()}"'


def ok(body: bytes, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    return Response(body, status, dict(headers or {}), JSON)
