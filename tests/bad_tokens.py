"""Tokens that are good but for one thing: what strangers might send, by what is wrong with it."""

import base64
import json
import time
from typing import Any

import jwt
from jwt.algorithms import HMACAlgorithm as Hmac
from service import SECRET

from api.http.tokens import DEFAULT_SCOPES

SAID: dict[str, Any] = {"sub": "u-1", "org": "acme", "scopes": list(DEFAULT_SCOPES)}


def token(secret: str = SECRET, headers: Any = None, **claims: Any) -> str:
    """A token that is good but for what is said here; a claim of None is left out."""
    said = SAID | {"exp": int(time.time()) + 600} | claims
    return jwt.encode({k: v for k, v in said.items() if v is not None}, secret, "HS256", headers)


def raw(header: str, claims: str, hash: Any = Hmac.SHA256) -> str:
    """A token signed with the right secret over whatever text."""
    signed = b".".join(_part(one.encode()) for one in (header, claims))
    signature = Hmac(hash).sign(signed, SECRET.encode())
    return b".".join((signed, _part(signature))).decode()


def _part(said: bytes) -> bytes:
    return base64.urlsafe_b64encode(said).rstrip(b"=")


HS256 = '{"alg":"HS256","typ":"JWT"}'
NOW = int(time.time())
GOOD_SO_FAR = '"sub":"u-1","org":"acme"'
INVALID = {
    "another secret": token("another secret, just as long as ours"),
    "expired": token(exp=NOW - 60),
    "expired beyond the leeway": token(exp=NOW - 8),
    "not yet valid": token(nbf=NOW + 3600),
    "never expires": token(exp=None),
    "nobody": token(sub=None),
    "nowhere": token(org=None),
    "several organisations": token(org=["acme", "bolt"]),
    "an empty organisation": token(org=""),
    "a long organisation": token(org="o" * 65),
    "a control character in the organisation": token(org="ac\x00me"),
    "half a letter in the organisation": raw(HS256, f'{{"sub":"u","org":"\\ud800","exp":{NOW + 600}}}'),
    "a number for a user": raw(HS256, f'{{"sub":7,"org":"acme","exp":{NOW + 600}}}'),
    "scopes by name": token(scopes={"admin": True}),
    "scopes by number": token(scopes=[1, 2]),
    "an endless lifetime": raw(HS256, f'{{{GOOD_SO_FAR},"exp":1e999}}'),
    "a lifetime that is no number": raw(HS256, f'{{{GOOD_SO_FAR},"exp":NaN}}'),
    "a lifetime in words": raw(HS256, f'{{{GOOD_SO_FAR},"exp":"tomorrow"}}'),
    "a lifetime in a list": raw(HS256, f'{{{GOOD_SO_FAR},"exp":[1]}}'),
    "a lifetime beyond numbers": raw(HS256, f'{{{GOOD_SO_FAR},"exp":{"9" * 400}}}'),
    "claims that are a list": raw(HS256, "[1]"),
    "deep claims": raw(HS256, f'{{{GOOD_SO_FAR},"exp":{"[" * 2500}{"]" * 2500}}}'),
    "a deep header": raw(f'{{"alg":{"[" * 2500}{"]" * 2500}}}', "{}"),
    "a header that is null": raw("null", "{}"),
    "an algorithm that is a list": raw('{"alg":["HS256"]}', "{}"),
    "no algorithm": raw('{"alg":"none"}', json.dumps(SAID | {"exp": NOW + 600})).rpartition(".")[0] + ".",
    "another algorithm": raw('{"alg":"HS384"}', json.dumps(SAID | {"exp": NOW + 600}), Hmac.SHA384),
    "a critical header": token(headers={"crit": ["exp"]}),
    "a key of its own": token(headers={"jwk": {"kty": "oct", "k": "AAAA"}}),
    "a place for keys": token(headers={"jku": "https://evil.test/keys"}),
    "a certificate": token(headers={"x5u": "https://evil.test/cert"}),
    "a name for its key that is a number": raw('{"alg":"HS256","kid":1}', "{}"),
    "too long": token(more="x" * 9000),
    "no token at all": "nonsense",
    "dots alone": "..",
}
