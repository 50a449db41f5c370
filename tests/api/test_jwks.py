"""Tokens of an identity provider: by the keys it lists, each for its own algorithms, for as long as it lists them."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import jwt
import pytest
from identity_provider import Provider, SigningKey
from in_process import serving
from jwt.algorithms import HMACAlgorithm
from service import SECRET, SURFACE, eventually

from api.http.jwk import listed_keys
from application.settings import Settings

LONG = 300.0
OLD, NEW = SigningKey("old"), SigningKey("new")
ODD = SigningKey("odd", "EdDSA")


class Door:
    """A worker that believes a provider."""

    def __init__(self, provider: Provider, web: httpx.Client) -> None:
        self.provider = provider
        self.web = web

    def answer(self, token: str) -> httpx.Response:
        return self.web.get(f"{SURFACE}/activity-types", headers={"Authorization": f"Bearer {token}"})

    def status(self, token: str) -> int:
        return self.answer(token).status_code


@contextmanager
def door(dsn: str, *keys: SigningKey, refresh: float = LONG, **settings: Any) -> Iterator[Door]:
    with (
        Provider(*keys).listening() as provider,
        serving(dsn, jwks_url=provider.url, jwks_refresh=refresh, **settings) as url,
        httpx.Client(base_url=url, timeout=30) as web,
    ):
        yield Door(provider, web)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_each_kind_of_key_is_taken(module_database: str, algorithm: str) -> None:
    key = SigningKey("k", algorithm)
    with door(module_database, OLD, key) as it:
        assert it.status(key.token()) == 200
        assert it.status(SigningKey("k", algorithm).token()) == 401


def test_the_list_is_fetched_once_and_kept(module_database: str) -> None:
    with door(module_database, OLD, ODD) as it:
        assert it.provider.asked == 0
        with ThreadPoolExecutor(8) as callers:
            tokens = [OLD.token(sub=f"u-{n}") for n in range(16)]
            assert set(callers.map(it.status, tokens)) == {200}
        assert it.status(ODD.token()) == 200
        assert it.provider.asked == 1


def test_a_new_key_is_fetched_at_once_and_the_old_one_goes_on_while_listed(module_database: str) -> None:
    with door(module_database, OLD) as it:
        assert it.status(OLD.token()) == 200
        it.provider.lists(OLD, NEW)
        assert it.status(NEW.token()) == 200
        assert it.status(OLD.token(sub="u-2")) == 200
        assert it.provider.asked == 2


def test_strangers_cannot_make_the_service_ask_at_will(module_database: str) -> None:
    with door(module_database, OLD) as it:
        assert {it.status(SigningKey(f"unheard-{n}").token()) for n in range(8)} == {401}
        assert it.provider.asked == 2
        it.provider.lists(NEW)
        assert it.status(NEW.token()) == 401  # the one look in this time was taken
        assert it.provider.asked == 2


def test_a_key_no_longer_listed_ends_with_the_next_list(module_database: str) -> None:
    with door(module_database, OLD, NEW, refresh=0.3) as it:
        token = OLD.token()
        assert it.status(token) == 200
        it.provider.lists(NEW)
        eventually(lambda: it.status(token) == 401, 5, "the old key has ended")
        assert it.status(NEW.token()) == 200


def test_a_provider_that_is_away_is_believed_for_a_while_and_then_nobody_gets_in(module_database: str) -> None:
    with door(module_database, OLD, refresh=0.2) as it:
        assert it.status(OLD.token()) == 200
        it.provider.status = 500
        began = time.monotonic()
        while time.monotonic() < began + 1.0:
            assert it.status(OLD.token(sub="u-2")) == 200
        eventually(lambda: it.status(OLD.token()) == 503, 5, "the list has become too old")
        it.provider.status = 200
        eventually(lambda: it.status(OLD.token()) == 200, 5, "the provider is back")


MISBEHAVIOURS: dict[str, dict[str, Any]] = {
    "fails": {"status": 500},
    "sends elsewhere": {"status": 302},
    "shows a page": {"body": b"<html>"},
    "lists nothing by name": {"body": b"[]"},
    "lists no list": {"body": b'{"keys": {}}'},
    "nests": {"body": b"[" * 100_000},
    "talks too much": {"body": b" " * 300_000 + b'{"keys": []}'},
    "lists too much": {"body": json.dumps({"keys": [OLD.listed] * 101}).encode()},
    "sleeps": {"delay": 3.5},
}


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_without_a_list_nothing_can_be_told(module_database: str, how: str) -> None:
    with door(module_database, OLD) as it:
        vars(it.provider).update(MISBEHAVIOURS[how])
        began = time.monotonic()
        answer = it.answer(OLD.token())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]
        assert it.provider.url not in answer.text
        assert it.status(OLD.token()) == 503
        assert time.monotonic() - began < 5
        assert it.provider.asked == 1


def test_an_empty_list_ends_all(module_database: str) -> None:
    with door(module_database) as it:
        assert it.status(OLD.token()) == 401


def test_the_shared_secret_is_worth_nothing_here(module_database: str) -> None:
    with door(module_database, OLD) as it:
        claims = {"sub": "u-1", "org": "acme", "scopes": ["activities:read"], "exp": int(time.time()) + 600}
        assert it.status(jwt.encode(claims, SECRET, "HS256", {"kid": "old"})) == 401
        assert it.status(jwt.encode(claims, "", "none", {"kid": "old"})) == 401


def test_a_public_key_is_never_a_shared_secret(module_database: str) -> None:
    key = SigningKey("k", "RS256")
    with door(module_database, key) as it:
        for secret in (json.dumps(key.listed).encode(), base64.urlsafe_b64decode(key.listed["n"] + "==")):
            assert it.status(_signed_by_hash(secret, key.token())) == 401


def _signed_by_hash(secret: bytes, token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k"}').rstrip(b"=")
    signed = header + b"." + token.split(".")[1].encode()
    signature = HMACAlgorithm(HMACAlgorithm.SHA256).sign(signed, secret)
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def test_a_key_is_for_its_own_algorithms_only(module_database: str) -> None:
    key = SigningKey("k", "RS256")
    narrow = SigningKey("narrow", "RS256")
    narrow.listed["alg"] = "PS256"
    with door(module_database, key, narrow) as it:
        assert it.status(key.token(algorithm="PS256")) == 200
        assert it.status(key.token(algorithm="RS384")) == 401
        assert it.status(narrow.token(algorithm="RS256")) == 401
        assert it.status(narrow.token(algorithm="PS256")) == 200
        assert it.status(key.token(headers={"jku": it.provider.url})) == 401
        assert it.status(key.token(headers={"jwk": key.listed})) == 401
        assert it.provider.asked == 1


def test_without_a_name_the_key_must_be_the_only_one_of_its_kind(module_database: str) -> None:
    with door(module_database, OLD, NEW, ODD) as it:
        assert it.status(ODD.token(named=False)) == 200
        assert it.status(OLD.token(named=False)) == 401


def test_issuer_and_audience_are_checked_when_set(module_database: str) -> None:
    with door(module_database, OLD, jwt_issuer="https://idp.test", jwt_audience="activities") as it:
        right: dict[str, Any] = {"iss": "https://idp.test", "aud": ["others", "activities"]}
        assert it.status(OLD.token(**right)) == 200
        for wrong in ({"iss": "https://evil.test"}, {"aud": "others"}, {"iss": None}, {"aud": None}, {"aud": 7}):
            said = {name: value for name, value in (right | wrong).items() if value is not None}
            assert it.status(_unchecked(OLD, said)) == 401, wrong


def _unchecked(key: SigningKey, claims: dict[str, Any]) -> str:
    """A token the library would not make itself."""
    said = {"sub": "u-1", "org": "acme", "scopes": ["activities:read"], "exp": int(time.time()) + 600} | claims
    return jwt.api_jws.encode(json.dumps(said).encode(), key.private, key.algorithm, {"kid": key.id})


def test_unless_set_issuer_and_audience_are_the_providers_business(module_database: str) -> None:
    with door(module_database, OLD) as it:
        assert it.status(OLD.token(iss="https://anybody.test", aud="anything")) == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"crv": "P-384"},
        {"kty": "oct", "k": "AAAA"},
        {"kty": ["EC"]},
        {"x": "!"},
        {"x": None},
        {"alg": "HS256"},
        {"alg": ["ES256"]},
    ],
    ids=str,
)
def test_a_key_that_cannot_be_used_is_passed_over(changed: dict[str, Any]) -> None:
    listed = {"keys": [OLD.listed | changed, None, 7, "key", NEW.listed]}
    assert [key.id for key in listed_keys(json.dumps(listed).encode())] == ["new"]


def test_short_rsa_keys_are_passed_over() -> None:
    weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xff" * 128).decode()}
    assert listed_keys(json.dumps({"keys": [weak]}).encode()) == ()


@pytest.mark.parametrize("url", ["http://idp.test/keys", "ftp://idp.test", "file:///etc/passwd", "idp.test/keys"])
def test_keys_come_over_tls_or_from_this_machine(url: str) -> None:
    with pytest.raises(ValueError):
        Settings(jwks_url=url)
    assert Settings(jwks_url="https://idp.test/keys").jwks_url
