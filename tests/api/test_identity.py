"""Who is asking: by token, by key, by both; every header agrees with the credential, or nothing is answered."""

import time
from collections.abc import Iterator

import httpx
import pytest
from accounts import PATH, key_of
from bad_tokens import INVALID, token
from operations import NEEDS_NO_CREDENTIALS
from service import SURFACE, Client, Service, id_of

TYPES = f"{SURFACE}/activity-types"


@pytest.fixture(scope="module")
def web(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=30) as web:
        yield web


def ask(web: httpx.Client, *headers: tuple[str, str | bytes], path: str = TYPES) -> httpx.Response:
    return web.get(path, headers=[(name.encode(), v.encode() if isinstance(v, str) else v) for name, v in headers])


def by(said: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {said}"


@pytest.mark.parametrize("headers", [[], [("X-Organization-ID", "acme")], [("X-Acting-User-ID", "u-1")]])
def test_without_a_credential_nothing_is_answered(web: httpx.Client, headers: list[tuple[str, str]]) -> None:
    answer = ask(web, *headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize("path", sorted(NEEDS_NO_CREDENTIALS - {"/problems/{code}"}))
def test_health_measures_documentation_and_problems_need_none(web: httpx.Client, path: str) -> None:
    assert web.get(path).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_a_token_is_enough(web: httpx.Client, scheme: str) -> None:
    assert ask(web, ("Authorization", f"{scheme} {token()}")).status_code == 200


@pytest.mark.parametrize("said", ["", "Bearer", "Basic dTpw", "Token x", "x", "Bearer\tx"])
def test_what_holds_no_bearer_token_is_no_credential(web: httpx.Client, said: str) -> None:
    answer = ask(web, ("Authorization", said))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("what", INVALID)
def test_a_token_with_anything_wrong_is_401_and_never_repeated(web: httpx.Client, what: str) -> None:
    answer = ask(web, by(INVALID[what]))
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert INVALID[what] not in answer.text


@pytest.mark.parametrize("said", [b"Bearer \xff\xfe\xfd", "Bearer Gärtnerei".encode(), b"Bearer \x80.\x80.\x80"])
def test_bytes_that_are_no_text_are_401(web: httpx.Client, said: bytes) -> None:
    assert ask(web, ("Authorization", said)).status_code == 401


def test_clocks_may_differ_a_little(web: httpx.Client) -> None:
    assert ask(web, by(token(exp=time.time() - 2))).status_code == 200
    assert ask(web, by(token(nbf=time.time() + 2))).status_code == 200


def test_a_remembered_token_ends_when_it_expires(web: httpx.Client) -> None:
    soon = token(exp=int(time.time()) - 3)
    assert ask(web, by(soon)).status_code == 200
    time.sleep(3.2)
    assert [ask(web, by(soon)).status_code for _ in range(6)] == [401] * 6


def test_scopes_may_be_words_or_a_list(web: httpx.Client) -> None:
    assert ask(web, by(token(scopes="records:read activities:read"))).status_code == 200
    answer = ask(web, by(token(scopes="records:read")))
    assert answer.status_code == 403
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="activities:read"'


def test_a_token_without_scopes_may_do_nothing(web: httpx.Client) -> None:
    assert ask(web, by(token(scopes=None))).status_code == 403


@pytest.mark.parametrize(
    ("organizations", "status"),
    [
        (["acme"], 200),
        (["acme", "acme"], 200),
        ([""], 200),
        (["bolt"], 403),
        (["Acme"], 403),
        (["acme, bolt"], 403),
        (["acme", "bolt"], 400),
        (["bolt", "acme"], 400),
    ],
)
def test_the_organization_header_agrees_with_the_token(
    web: httpx.Client, organizations: list[str], status: int
) -> None:
    said = [("X-Organization-ID", one) for one in organizations]
    assert ask(web, by(token()), *said).status_code == status


def test_organizations_may_have_names_in_any_script(web: httpx.Client) -> None:
    abroad = token(org="Gärtnerei & Söhne")
    assert ask(web, by(abroad), ("X-Organization-ID", "Gärtnerei & Söhne")).status_code == 200
    assert ask(web, by(abroad), ("X-Organization-ID", "Gärtnerei & Söhne".encode("latin-1"))).status_code == 200
    assert ask(web, by(abroad), ("X-Organization-ID", b"\xff\xfe")).status_code == 403


def test_two_credentials_of_a_kind_are_one_too_many(web: httpx.Client) -> None:
    assert ask(web, by(token()), by(token(sub="u-2"))).status_code == 400
    same = token()
    assert ask(web, by(same), by(same)).status_code == 200


def test_a_user_is_not_somebody_else_by_header(web: httpx.Client) -> None:
    assert ask(web, by(token()), ("X-Acting-User-ID", "u-1")).status_code == 200
    assert ask(web, by(token()), ("X-Acting-User-ID", "u-2")).status_code == 403
    assert ask(web, by(token()), ("X-Acting-User-ID", "u-1"), ("X-Acting-User-ID", "u-2")).status_code == 400


def test_a_key_needs_somebody_who_acts(client: Client, web: httpx.Client) -> None:
    key = ("X-API-Key", key_of(client))
    answer = ask(web, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "acting_user_required")
    assert "X-Acting-User-ID" in web.get("/problems/acting_user_required").text
    assert ask(web, key, ("X-Acting-User-ID", "u-9")).status_code == 200
    assert ask(web, key, ("X-Acting-User-ID", "u" * 65)).status_code == 400


def test_what_is_done_by_key_is_told_of_user_and_client(client: Client, web: httpx.Client) -> None:
    key = key_of(client)
    said = {"X-API-Key": key, "X-Acting-User-ID": "u-9"}
    made = web.post(
        f"{SURFACE}/activities",
        headers=said,
        json={"type": "call", "subject": "By key", "activityable_type": "customer", "activityable_id": "c-1"},
    )
    assert made.status_code == 201, made.text
    told = client.ok("GET", f"/activities/{id_of(made.json()['data'])}/history")["data"][0]
    assert told["actor"]["id"] == "u-9"
    assert told["client"] == key.split("_")[1]


def test_a_wrong_key_spoils_a_good_token(client: Client) -> None:
    for key in ("", "x", "crm_", f"crm_{'0' * 26}_{'0' * 64}", key_of(client)[:-1] + "g"):
        answer = client.call("GET", "/activity-types", headers={"X-API-Key": key})
        assert (answer.status_code, answer.json()["detail"]) == (401, "The API key is not valid"), key


def test_with_token_and_key_the_scopes_in_both_count(client: Client) -> None:
    reading = {"X-API-Key": key_of(client, "activities:read", "admin")}
    assert client.call("GET", "/activities", headers=reading).status_code == 200
    assert client.call("GET", "/customers", headers=reading).status_code == 403
    assert client.call("GET", "/api-keys", headers=reading).status_code == 403  # the token has no admin


def test_a_key_of_another_organization_is_of_no_use(client: Client, service: Service, web: httpx.Client) -> None:
    with service.client() as foreign:
        foreign_key = key_of(foreign)
        answer = client.call("GET", "/activities", headers={"X-API-Key": foreign_key})
        assert answer.status_code == 403
        assert foreign.organization not in answer.text
        ours = ("X-Organization-ID", client.organization)
        assert ask(web, ("X-API-Key", foreign_key), ("X-Acting-User-ID", "u-1"), ours).status_code == 403


def test_accounts_want_all_three_headers(client: Client, web: httpx.Client) -> None:
    bearer = ("Authorization", client.http.headers["Authorization"])
    key, ours = ("X-API-Key", key_of(client)), ("X-Organization-ID", client.organization)
    assert ask(web, bearer, key, ours, path=PATH).status_code == 200
    assert ask(web, key, ours, path=PATH).status_code == 401
    assert ask(web, key, ours, ("X-Acting-User-ID", "u-1"), path=PATH).status_code == 401
    assert ask(web, bearer, ours, path=PATH).status_code == 401
    answer = ask(web, bearer, key, path=PATH)
    assert (answer.status_code, answer.json()["code"]) == (400, "organization_required")
    assert ask(web, bearer, key, ("X-Organization-ID", "other"), path=PATH).status_code == 403


def test_every_answer_is_guarded(client: Client, web: httpx.Client) -> None:
    client.create()
    activity = client.rows()[0]
    for answer in (
        client.call("GET", f"/activities/{activity['id']}"),
        client.call("GET", "/activities"),
        client.call("GET", "/activities/unknown"),
        web.get(TYPES),
        web.get("/nowhere"),
        web.get("/health/live"),
        web.get("/problems"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-request-id"]
        kept = "private, no-cache" if "etag" in answer.headers else "no-store"
        assert answer.headers["cache-control"] == ("public, max-age=3600" if answer.url.path == "/problems" else kept)


def test_problem_pages_need_nothing_and_load_nothing(web: httpx.Client) -> None:
    for problem in (web.get("/nowhere").json(), web.get(TYPES).json()):
        page = web.get(problem["type"])
        assert page.status_code == 200
        assert problem["title"] in page.text
        assert "<script" not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert web.get("/problems/unheard_of").status_code == 404
