"""Whom credentials speak for, as functions: no server, to the letter. test_identity.py asks the same over HTTP."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from bad_tokens import INVALID, SAID, token
from fastapi import Request
from service import SECRET

from api.http.caller import Caller
from api.http.claims import LONGEST, InvalidToken, caller_in, header_of
from api.http.credentials import bearer, identity_headers, text
from api.http.identity import accounts_caller_of, caller_of, permitted
from api.http.problems import Problem
from api.http.tokens import Key, SharedSecret, Tokens, issue
from application.api_key.recognition import RecognisedKey

KEY = RecognisedKey("k-1", "acme", frozenset({"activities:read", "admin"}))
FOREIGN = RecognisedKey("k-2", "bolt", frozenset({"activities:read"}))
BEARER, INVALID_BEARER = {"WWW-Authenticate": "Bearer"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class Recognising:
    """Two keys, and no others."""

    async def recognised(self, said: str) -> RecognisedKey | None:
        return {"good": KEY, "foreign": FOREIGN}.get(said)


class Counting:
    """Admits everybody, and remembers whom."""

    def __init__(self) -> None:
        self.admitted: list[Caller] = []

    def count(self, caller: Caller, request: Request) -> None:
        self.admitted.append(caller)


def request(*headers: tuple[str, str | bytes]) -> Request:
    said = [(name.lower().encode(), v if isinstance(v, bytes) else v.encode()) for name, v in headers]
    state = SimpleNamespace(tokens=Tokens(SharedSecret(SECRET)), api_keys=Recognising(), rate_limit=Counting())
    return Request({"type": "http", "headers": said, "app": SimpleNamespace(state=state), "state": {}})


def by(said: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {said}"


def asks(*headers: tuple[str, str | bytes], surface: Any = caller_of) -> Caller:
    asked = request(*headers)
    caller: Caller = asyncio.run(surface(asked))
    assert asked.app.state.rate_limit.admitted == [caller]
    return caller


def refused(*headers: tuple[str, str | bytes], surface: Any = caller_of) -> tuple[str, str | None, Any]:
    asked = request(*headers)
    with pytest.raises(Problem) as problem:
        asyncio.run(surface(asked))
    assert asked.app.state.rate_limit.admitted == []
    return problem.value.code, problem.value.detail, dict(problem.value.headers)


def caller_by(said: str, **settings: Any) -> Caller:
    return asyncio.run(Tokens(SharedSecret(SECRET), **settings).caller(said.encode()))


class TestTokens:
    def test_a_good_one_speaks_for_its_user_in_its_organisation(self) -> None:
        assert caller_by(token()) == Caller("acme", "u-1", frozenset(SAID["scopes"]), None)
        assert caller_by(token(scopes="admin  records:read")).scopes == {"admin", "records:read"}
        assert caller_by(token(scopes=None)).scopes == frozenset()
        assert caller_by(token(sub="u" * 64, org="o")).user_id == "u" * 64

    @pytest.mark.parametrize("what", INVALID)
    def test_one_with_anything_wrong_speaks_for_nobody_and_is_never_repeated(self, what: str) -> None:
        with pytest.raises(InvalidToken) as error:
            caller_by(INVALID[what])
        said = {
            "expired": "The token has expired",
            "expired beyond the leeway": "The token has expired",
            "too long": "The token is too long",
            "scopes by name": "The token's scopes are not a list",
            "scopes by number": "The token's scopes are not a list",
            "an empty organisation": "The token names no user or no organisation",
            "a long organisation": "The token names no user or no organisation",
            "a control character in the organisation": "The token names no user or no organisation",
            "half a letter in the organisation": "The token names no user or no organisation",
            "several organisations": "The token names no user or no organisation",
        }
        assert str(error.value) == said.get(what, "The token is not valid")

    def test_the_longest_is_as_long_as_it_may_be(self) -> None:
        fitting = token(more="x" * 20)
        padded = token(more="x" * (20 + (LONGEST - len(fitting)) * 3 // 4))
        assert LONGEST - 3 <= len(padded) <= LONGEST
        assert caller_by(padded).user_id == "u-1"
        with pytest.raises(InvalidToken, match=r"^The token is too long$"):
            header_of(b"x" * (LONGEST + 1))
        with pytest.raises(InvalidToken, match=r"^The token is not valid$"):
            header_of(b"x" * LONGEST)

    def test_the_header_names_algorithm_and_key(self) -> None:
        assert header_of(token().encode()) == ("HS256", None)
        assert header_of(token(headers={"kid": "k-1"}).encode()) == ("HS256", "k-1")

    def test_clocks_may_differ_by_the_leeway(self) -> None:
        now = time.time()
        assert caller_by(token(exp=now - 8), leeway=20).user_id == "u-1"
        assert caller_by(token(exp=now - 2)).user_id == "u-1"
        with pytest.raises(InvalidToken, match=r"^The token has expired$"):
            caller_by(token(exp=now - 8))

    def test_issuer_and_audience_count_where_they_are_asked_for(self) -> None:
        marked = token(iss="idp", aud="crm")
        assert caller_by(marked, issuer="idp", audience="crm").user_id == "u-1"
        assert caller_by(marked).user_id == "u-1"
        for other in ({"issuer": "other"}, {"audience": "other"}):
            with pytest.raises(InvalidToken, match=r"^The token is not valid$"):
                caller_by(marked, **other)
        with pytest.raises(InvalidToken):
            caller_by(token(), issuer="idp")
        with pytest.raises(InvalidToken):
            caller_by(token(), audience="crm")

    def test_the_shared_secret_goes_with_one_algorithm(self) -> None:
        secret = SharedSecret(SECRET)
        assert asyncio.run(secret.key_for("HS256", "any")) == Key(SECRET)
        assert asyncio.run(secret.key_for("HS512", None)) is None
        assert asyncio.run(secret.key_for("RS256", None)) is None
        assert Key(SECRET).good_until == float("inf")

    def test_what_is_issued_says_what_was_asked_for(self) -> None:
        who = {"organization": "acme", "user": "u-1", "scopes": ("admin",), "ttl": 60, "now": 1000.9}
        plain = jwt.decode(issue(SECRET, **who), options={"verify_signature": False})  # type: ignore[arg-type]
        assert plain == {"sub": "u-1", "org": "acme", "scopes": ["admin"], "iat": 1000, "exp": 1060}
        marked = issue(SECRET, **who, issuer="idp", audience="crm")  # type: ignore[arg-type]
        claims = jwt.decode(marked, options={"verify_signature": False})
        assert (claims["iss"], claims["aud"]) == ("idp", "crm")
        assert jwt.get_unverified_header(marked)["alg"] == "HS256"


class Lending:
    """One secret, good for as long as it is told to be; counts how often it is asked for."""

    def __init__(self, good_for: float) -> None:
        self.good_for, self.asked = good_for, 0

    def opened(self) -> Any:
        raise NotImplementedError

    async def key_for(self, algorithm: str, key_id: str | None) -> Key | None:
        self.asked += 1
        return Key(SECRET, time.time() + self.good_for)


class TestRemembering:
    def ask(self, keys: Lending, *said: str, **settings: Any) -> int:
        """How often a key was looked up for these."""

        async def all_of_them() -> None:
            tokens = Tokens(keys, **settings)
            for one in said:
                assert (await tokens.caller(one.encode())).organization_id == "acme"

        asyncio.run(all_of_them())
        return keys.asked

    def test_a_token_seen_before_is_not_checked_again(self) -> None:
        assert self.ask(Lending(60), *[token()] * 1, *[token(sub="u-2")] * 1) == 2
        same = token()
        assert self.ask(Lending(60), same, same, same) == 1

    def test_no_longer_than_its_key_is_good(self) -> None:
        same = token()
        assert self.ask(Lending(0), same, same) == 2

    def test_nor_longer_than_it_is_valid_itself(self) -> None:
        now = time.time()
        late = token(exp=now - 2)
        assert self.ask(Lending(60), late, late) == 1, "the leeway counts"

    def test_so_many_and_no_more_the_oldest_is_forgotten_first(self) -> None:
        one, two, three = (token(sub=f"u-{n}") for n in range(3))
        assert self.ask(Lending(60), one, two, one, two, remembered=2) == 2
        assert self.ask(Lending(60), one, two, three, two, three, remembered=2) == 3
        assert self.ask(Lending(60), one, two, three, one, remembered=2) == 4


class TestClaims:
    @pytest.mark.parametrize("claims", [{"sub": "", "org": "a"}, {"sub": "u", "org": "a\n"}, {"sub": None, "org": "a"}])
    def test_names_that_are_none_are_refused(self, claims: dict[str, Any]) -> None:
        with pytest.raises(InvalidToken, match=r"^The token names no user or no organisation$"):
            caller_in(claims)


class TestHeaders:
    def test_each_is_read_once_and_trimmed(self) -> None:
        said = identity_headers(request(("X-API-Key", " k "), ("X-Other", "x"), ("X-API-Key", "k")))
        assert said == {b"x-api-key": b"k"}

    @pytest.mark.parametrize("name", ["Authorization", "X-API-Key", "X-Organization-ID", "X-Acting-User-ID"])
    def test_one_said_twice_and_differently_is_refused_by_name(self, name: str) -> None:
        code, detail, _ = refused((name, "a"), (name, "b"))
        assert (code, detail) == ("malformed_request", f"{name} was sent twice, with different values")

    def test_a_bearer_token_is_told_from_anything_else(self) -> None:
        assert bearer({}) is None
        assert bearer({b"authorization": b"bEARER  t.o.k "}) == b"t.o.k"
        assert bearer({b"authorization": b"Bearer a b"}) == b"a b"
        assert bearer({b"authorization": b"Basic dTpw"}) == b""
        assert bearer({b"authorization": b"Bearer"}) == b""

    def test_ids_are_utf_8_or_latin_1(self) -> None:
        assert (text(None), text(b"")) == (None, None)
        assert text("Söhne".encode()) == "Söhne"
        assert text("Söhne".encode("latin-1")) == "Söhne"


class TestAgreement:
    def test_a_token_is_enough_and_so_is_a_key_with_somebody_who_acts(self) -> None:
        assert asks(by(token())) == Caller("acme", "u-1", frozenset(SAID["scopes"]), None)
        assert asks(("X-API-Key", "good"), ("X-Acting-User-ID", "u-9")) == Caller("acme", "u-9", KEY.scopes, "k-1")

    def test_with_both_the_scopes_in_both_count_and_the_client_is_known(self) -> None:
        caller = asks(by(token()), ("X-API-Key", "good"), ("X-Organization-ID", "acme"), ("X-Acting-User-ID", "u-1"))
        assert caller == Caller("acme", "u-1", frozenset({"activities:read"}), "k-1")

    def test_without_any_nothing_is_answered(self) -> None:
        needed = "Send Authorization: Bearer <token>, or X-API-Key"
        assert refused(("X-Organization-ID", "acme")) == ("unauthenticated", needed, BEARER)
        only = "Send Authorization: Bearer <token>"
        assert refused(("Authorization", "Basic x")) == ("unauthenticated", only, BEARER)

    def test_a_bad_one_is_refused_as_what_it_is(self) -> None:
        expired = token(exp=time.time() - 60)
        assert refused(by(expired)) == ("unauthenticated", "The token has expired", INVALID_BEARER)
        bad = ("unauthenticated", "The API key is not valid", BEARER)
        assert refused(by(token()), ("X-API-Key", "bad")) == bad
        assert refused(("X-API-Key", b"\xff"), ("X-Acting-User-ID", "u")) == bad

    def test_headers_that_disagree_are_forbidden(self) -> None:
        for said, detail in (
            (("X-Organization-ID", "bolt"), "X-Organization-ID is not the organisation of the credential"),
            (("X-Acting-User-ID", "u-2"), "X-Acting-User-ID is not the user of the token"),
            (("X-API-Key", "foreign"), "The API key and the token are of different organisations"),
        ):
            assert refused(by(token()), said)[:2] == ("forbidden", detail)
        assert (
            refused(("X-API-Key", "good"), ("X-Acting-User-ID", "u"), ("X-Organization-ID", "bolt"))[0] == "forbidden"
        )

    def test_a_key_needs_somebody_who_acts_with_a_name_that_can_be_one(self) -> None:
        assert refused(("X-API-Key", "good"))[0] == "acting_user_required"
        assert asks(("X-API-Key", "good"), ("X-Acting-User-ID", "u" * 64)).user_id == "u" * 64
        for name in ("u" * 65, "u\x07"):
            code, detail, _ = refused(("X-API-Key", "good"), ("X-Acting-User-ID", name))
            assert (code, detail) == ("malformed_request", "X-Acting-User-ID must have 1 to 64 printable characters")

    def test_accounts_want_all_three(self) -> None:
        all_three = (by(token()), ("X-API-Key", "good"), ("X-Organization-ID", "acme"))
        assert asks(*all_three, surface=accounts_caller_of).client == "k-1"
        needed = ("unauthenticated", "Send Authorization: Bearer <token> and X-API-Key", BEARER)
        assert refused(*all_three[:1], surface=accounts_caller_of) == needed
        assert refused(*all_three[1:], surface=accounts_caller_of) == needed
        assert refused(*all_three[:2], surface=accounts_caller_of)[0] == "organization_required"
        empty = ("X-Organization-ID", "")
        assert refused(*all_three[:2], empty, surface=accounts_caller_of)[0] == "organization_required"

    def test_a_scope_that_is_lacking_is_named(self) -> None:
        caller = Caller("acme", "u-1", frozenset({"admin"}))
        assert permitted(caller, "admin") is caller
        with pytest.raises(Problem) as problem:
            permitted(caller, "records:read")
        assert (problem.value.code, problem.value.detail) == ("forbidden", "The scope records:read is needed")
        challenge = 'Bearer error="insufficient_scope", scope="records:read"'
        assert dict(problem.value.headers) == {"WWW-Authenticate": challenge}
