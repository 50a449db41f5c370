"""Headers every answer carries: for browsers and caches that would otherwise do more with it than they should."""

from collections.abc import Sequence

Header = tuple[bytes, bytes]

_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_DATA: tuple[Header, ...] = (
    *_ALWAYS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_OVER_TLS: Header = (b"strict-transport-security", b"max-age=31536000")
_OF_PAGES = (b"text/html", b"text/css", b"text/javascript")
_KEPT_NOWHERE = (*_DATA, (b"cache-control", b"no-store"))
_ASKED_AGAIN = (*_DATA, (b"cache-control", b"private, no-cache"))


def guarding(headers: Sequence[Header], scheme: str = "http") -> tuple[Header, ...]:
    """What is to be added to an answer's own. Pages say themselves what they may load, and how long it all keeps.

    Over TLS a browser is told to come over TLS only; else the header would mean nothing.
    """
    return (*_guarding(headers), _OVER_TLS) if scheme == "https" else _guarding(headers)


def _guarding(headers: Sequence[Header]) -> tuple[Header, ...]:
    said = dict(headers)
    if said.get(b"content-type", b"").startswith(_OF_PAGES):
        return _ALWAYS
    return _ASKED_AGAIN if b"etag" in said else _KEPT_NOWHERE
