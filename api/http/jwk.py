"""Public keys as a provider lists them (RFC 7517), each with the algorithms it may be used with and no others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

MOST_KEYS = 100
_SMALLEST_RSA = 2048
_CURVES = {"EC": "P-256", "OKP": "Ed25519"}
_BY_TYPE: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"RS256", "PS256"}),
    "EC": frozenset({"ES256"}),
    "OKP": frozenset({"EdDSA"}),
}
ALGORITHMS = frozenset().union(*_BY_TYPE.values())
"""Shared secrets are not among them: a public key can never be taken for one."""


@dataclass(frozen=True, slots=True)
class ListedKey:
    id: str | None
    algorithms: frozenset[str]
    material: Any


def listed_keys(body: bytes) -> tuple[ListedKey, ...]:
    """The keys of a list that can be used. Raises ValueError for what is no list."""
    try:
        listed = json.loads(body)["keys"]
    except (KeyError, TypeError, RecursionError):
        raise ValueError("not a key set") from None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("not a key set")
    return tuple(key for said in listed if (key := _key(said)) is not None)


def _key(said: Any) -> ListedKey | None:
    """None for a key that is not for checking signatures, or that is too weak for it."""
    try:
        algorithms = _algorithms(said)
        if not algorithms:
            return None
        material = jwt.PyJWK(said, algorithm=min(algorithms)).key
        if said["kty"] == "RSA" and material.key_size < _SMALLEST_RSA:
            return None
        return ListedKey(said.get("kid"), algorithms, material)
    except Exception:  # noqa: BLE001  one key that cannot be read must not cost the others
        return None


def _algorithms(said: Mapping[str, Any]) -> frozenset[str]:
    kind = said["kty"]
    for_signatures = said.get("use", "sig") == "sig" and "verify" in said.get("key_ops", ["verify"])
    if not for_signatures or said.get("crv") != _CURVES.get(kind):
        return frozenset()
    allowed = _BY_TYPE.get(kind, frozenset())
    return allowed & {said["alg"]} if "alg" in said else allowed
