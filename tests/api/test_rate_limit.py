"""So many requests in a while for each client of an organisation; every answer says what is left."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from in_process import PEPPER, serving
from service import SECRET, SURFACE

from api.http import windows
from api.http.tokens import issue
from api.http.windows import Windows
from application.api_key.administration import create_api_key
from application.settings import Settings

LEFT = re.compile(r'"client";r=(\d+);t=(\d+)')
SCOPES = ["activities:read"]


@pytest.fixture
def url(module_database: str) -> Iterator[str]:
    """A worker that takes three requests an hour."""
    with serving(module_database, rate_limit="3/hour") as url:
        yield url


def ask(url: str, user: str = "u-1", organization: str = "acme", **headers: str) -> httpx.Response:
    token = issue(SECRET, organization=organization, user=user, scopes=SCOPES, ttl=600, now=time.time())
    return httpx.get(f"{url}{SURFACE}/activity-types", headers={"Authorization": f"Bearer {token}"} | headers)


def left(answer: httpx.Response) -> int:
    found = LEFT.fullmatch(answer.headers["ratelimit"])
    assert found and 0 < int(found[2]) <= 3600
    return int(found[1])


def test_what_is_left_is_said_until_nothing_is(url: str) -> None:
    answers = [ask(url) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [left(answer) for answer in answers] == [2, 1, 0, 0, 0]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"client";q=3;w=3600'}


def test_too_many_is_a_problem_that_says_when_to_come_back(url: str) -> None:
    refused = [ask(url) for _ in range(4)][-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["retry-after"]) <= 3600


def test_each_client_of_each_organization_has_its_own(url: str, module_database: str) -> None:
    assert [left(ask(url)) for _ in range(3)] == [2, 1, 0]
    assert left(ask(url, user="u-2")) == 2
    assert left(ask(url, organization="bolt")) == 2
    assert left(ask(url, organization="acme/u-1", user="x")) == 2
    assert left(ask(url, organization="acme", user="u-1/x")) == 2
    key = create_api_key(module_database, "acme", "zapier", SCOPES, pepper=PEPPER)
    assert left(ask(url, **{"X-API-Key": key})) == 2
    assert left(ask(url, user="u-2", **{"X-API-Key": key})) == 1  # the client is the key, whoever acts
    assert ask(url).status_code == 429


def test_who_is_not_known_uses_up_nobodys_share(url: str) -> None:
    for _ in range(5):
        answer = httpx.get(f"{url}{SURFACE}/activity-types", headers={"Authorization": "Bearer x"})
        assert answer.status_code == 401
        assert "ratelimit" not in answer.headers
    assert left(ask(url)) == 2


def test_what_is_not_permitted_counts_all_the_same(url: str) -> None:
    token = issue(SECRET, organization="acme", user="u-1", scopes=[], ttl=600, now=time.time())
    answer = httpx.get(f"{url}{SURFACE}/activities", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, left(answer)) == (403, 2)


def test_health_is_not_counted(url: str) -> None:
    answers = [httpx.get(f"{url}/health/live") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_a_new_while_begins_when_the_old_one_is_over(module_database: str) -> None:
    with serving(module_database, rate_limit="2/second") as url:
        statuses = [ask(url).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        time.sleep(1.05)
        assert ask(url).status_code == 200


def test_it_can_be_switched_off(module_database: str) -> None:
    with serving(module_database, rate_limit="off") as url:
        assert "ratelimit" not in ask(url).headers


@pytest.mark.parametrize("rate", ["", "0/minute", "-1/minute", "many", "10", "10/fortnight", "1/minute;2/hour"])
def test_a_rate_that_is_none_is_refused_at_start(rate: str) -> None:
    with pytest.raises(ValueError):
        Settings(rate_limit=rate)


def test_windows_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MOST", 10)
    kept = Windows(seconds=0)
    assert {kept.count(f"over {n}")[0] for n in range(10)} == {1}
    assert kept.count("over 1")[0] == 1  # a window of no time at all is over at once
    kept.count("one too many")
    assert len(kept) <= 1
