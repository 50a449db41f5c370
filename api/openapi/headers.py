"""Headers: what a request may carry, what an answer does, and the credentials."""

from typing import Any

from api.openapi.examples.activities import NEXT_ID
from api.openapi.examples.audit_proofs import LEAF

Json = dict[str, Any]

_STRICT = "handling=strict"


def _text(example: str, **more: Any) -> Json:
    return {"schema": {"type": "string", **more}, "example": example}


def _ask(name: str, description: str, example: str, **schema: Any) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, **_text(example, **schema)}


PARAMETERS: Json = {
    "Idempotency-Key": _ask(
        "Idempotency-Key",
        "Makes the command safe to repeat: the same key and request are answered as the first time was, for at "
        "least 24 hours. A request that was refused does not use its key up.",
        "7f3c1d9e-call-2025-12-20",
        minLength=1,
        maxLength=255,
        pattern="^[!#-~]([ -~]*[!#-~])?$",
    ),
    "If-Match": _ask(
        "If-Match",
        "The ETag the caller decided upon: a command on anything newer is 412. Without it, commands merge by field.",
        '"1.5f0c2a9b3d4e"',
    ),
    "If-None-Match": _ask(
        "If-None-Match",
        "ETags the caller has: 304 where one of them is still right.",
        '"1.5f0c2a9b3d4e"',
    ),
    "Last-Event-ID": _ask(
        "Last-Event-ID",
        "The last position a stream was read up to: it goes on from there, whatever `after` says.",
        "4711",
        pattern="^[0-9]{1,17}$",
    ),
    "Prefer": _ask(
        "Prefer",
        f"`{_STRICT}`: 503 rather than an answer that misses acknowledged writes.",
        _STRICT,
    ),
}

HEADERS: Json = {
    "X-Request-ID": {
        "description": "The request's own X-Request-ID if it has one of up to 64 letters, digits, '.', '_' or '-', "
        "else one made for it",
        **_text(NEXT_ID),
    },
    "ETag": {"description": "The resource's version, with a digest of this answer", **_text('"2.5f0c2a9b3d4e"')},
    "Projection-Lag": {
        "description": "Only where the answer misses acknowledged writes: how many positions it is behind",
        "schema": {"type": "integer", "minimum": 1},
        "example": 3,
    },
    "Idempotent-Replayed": {
        "description": "Only where this is the stored answer to an earlier request with the same Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
    "Audit-Receipt": {
        "description": "Only where the command recorded something: `<position>:<leaf>`, or `<first>-<last>:<root over "
        "their leaves>`. Keep it: the event must be found in every later checkpoint with this very leaf",
        **_text(f"4711:{LEAF}"),
    },
    "RateLimit": {"description": "Requests left, and seconds until they are renewed", **_text('"client";r=99999;t=60')},
    "RateLimit-Policy": {
        "description": "Requests allowed in so many seconds",
        **_text('"client";q=100000;w=60'),
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again",
        "schema": {"type": "integer", "minimum": 0},
        "example": 1,
    },
    "WWW-Authenticate": {"description": "Which credential would do", **_text('Bearer error="invalid_token"')},
    "Allow": {"description": "The methods there are", **_text("GET, PUT, PATCH, DELETE")},
    "Accept-Patch": {"description": "What a PATCH may be", **_text("application/merge-patch+json")},
}

SECURITY_SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Who acts: claims `sub` (user), `org` (organisation), `scopes`. `activities token` makes one.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "Which client asks: `crm_<id>_<secret>`. Beside a token, the scopes in both count.",
    },
    "actingUser": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Acting-User-ID",
        "description": "Who acts, where an API key comes without a token. No secret: an id of 1 to 64 characters.",
    },
    "organization": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Organization-ID",
        "description": "The organisation of the credentials; 403 where it is another. Required on surface T only.",
    },
}


def headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def parameters(*names: str) -> list[Json]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]
