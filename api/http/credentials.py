"""The four headers that say who asks, read in one pass."""

from collections.abc import Mapping

from fastapi import Request

from api.http.problems import Problem

AUTHORIZATION = b"authorization"
API_KEY = b"x-api-key"
ORGANIZATION = b"x-organization-id"
ACTING_USER = b"x-acting-user-id"
_NAMES = {
    AUTHORIZATION: "Authorization",
    API_KEY: "X-API-Key",
    ORGANIZATION: "X-Organization-ID",
    ACTING_USER: "X-Acting-User-ID",
}

Headers = Mapping[bytes, bytes]


def identity_headers(request: Request) -> Headers:
    """What was said, by name. Raises Problem where one was said twice, and differently."""
    said: dict[bytes, bytes] = {}
    for name, value in request.scope["headers"]:
        if name in _NAMES and said.setdefault(name, value.strip()) != value.strip():
            raise Problem("malformed_request", f"{_NAMES[name]} was sent twice, with different values")
    return said


def bearer(said: Headers) -> bytes | None:
    """The token; None where no Authorization was sent, and empty where it holds no bearer token."""
    if (authorization := said.get(AUTHORIZATION)) is None:
        return None
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def text(value: bytes | None) -> str | None:
    """An id as people write it: UTF-8, else taken letter by letter. What is empty was not said."""
    if not value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
