"""What cannot be is refused at the edge: the documented status, the field named, and nothing stored."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from service import A_CALL, Client, Json, Service

KIB = 1024
CREATE = "POST /activities"
EACH_COMMAND = (
    "POST /activities",
    "PATCH /activities/{id}",
    "PUT /activities/{id}",
    "POST /activities/{id}/complete",
    "POST /activities/{id}/cancel",
    "POST /activities/{id}/reschedule",
    "POST /activities/{id}/start",
    "POST /activities/{id}/defer",
    "POST /activities/{id}/wait",
    "POST /activities/{id}/resume",
    "POST /activities/{id}/recreate",
    "POST /activities/{id}/restore",
    "POST /activities/bulk-actions",
    "POST /customers",
    "PUT /customers/c-9",
    "PATCH /customers/c-1",
)
NEED_A_BODY = [
    command
    for command in EACH_COMMAND
    if command.split("/")[-1] in ("activities", "{id}", "reschedule", "bulk-actions", "customers", "c-1", "c-9")
]


class Edge:
    """An organisation with one activity, and what is said to it badly."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.record()
        client.record("customers", "c-8")
        self.activity = client.create(due_at="2025-12-20T14:00:00Z", reminder_at="2025-12-20T13:45:00Z")

    def say(self, request: str, content: str | bytes | None = None, **headers: str) -> httpx.Response:
        method, path = request.split()
        path = path.replace("{id}", self.activity["id"])
        if isinstance(content, str):
            content = content.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            named = {"content-type": "application/json"} | named
        return self.client.call(method, path, content=content, headers=named)


@pytest.fixture(scope="module")
def edge(service: Service) -> Iterator[Edge]:
    with service.client() as client:
        yield Edge(client)


@pytest.fixture(autouse=True)
def nothing_is_stored(edge: Edge) -> Iterator[None]:
    before = edge.client.recorded()
    yield
    assert edge.client.recorded() == before


def refused(reply: httpx.Response, status: int, code: str, field: str | None = None) -> Json:
    """The problem, which must be complete, and name the field."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    problem: Json = reply.json()
    assert problem["type"] == f"/problems/{code}"
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["success"] is False
    assert problem["instance"] == reply.request.url.path
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert isinstance(problem["errors"], dict)
    for member in ("title", "detail", "message"):
        assert isinstance(problem[member], str) and problem[member]
    if field is not None:
        assert field in problem["errors"], problem["errors"]
        assert all(isinstance(message, str) and message for message in problem["errors"][field])
    return problem


def a_call(**fields: Any) -> str:
    return json.dumps({**A_CALL, **fields})


def deep(levels: int) -> str:
    """An activity whose body is `levels` deep, itself counted."""
    inner = "[" * (levels - 2) + "]" * (levels - 2)
    return a_call(custom_fields="HERE").replace('"HERE"', f'{{"deep":{inner}}}')


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            "{",
            "{]",
            "{'type': 'call'}",
            '{"a": 1,}',
            '{"a" 1}',
            "call",
            '{"a": 1} {"b": 2}',
            "\ufeff{}",
            '{"a": .5}',
            '{"a": 01}',
            '{"a": "\n"}',
            "// a comment\n{}",
        ],
    )
    @pytest.mark.parametrize("command", [CREATE, "POST /activities/{id}/start"])
    def test_what_is_no_json(self, edge: Edge, command: str, body: str) -> None:
        refused(edge.say(command, body), 400, "malformed_request")

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
    def test_numbers_that_are_none(self, edge: Edge, number: str) -> None:
        body = a_call(custom_fields="HERE").replace('"HERE"', f'{{"n":{number}}}')
        refused(edge.say(CREATE, body), 400, "malformed_request")

    @pytest.mark.parametrize("digits", [str(2**63), str(-(2**63) - 1), str(2**70), "1" + "0" * 5000])
    def test_integers_beyond_64_bits(self, edge: Edge, digits: str) -> None:
        body = a_call(custom_fields="HERE").replace('"HERE"', f'{{"n":{digits}}}')
        refused(edge.say(CREATE, body), 400, "malformed_request")

    def test_keys_said_twice(self, edge: Edge) -> None:
        refused(edge.say(CREATE, '{"type":"call","type":"call"}'), 400, "malformed_request")
        twice = a_call(custom_fields="HERE").replace('"HERE"', '{"a":[{"b":1,"b":1}]}')
        refused(edge.say(CREATE, twice), 400, "malformed_request")
        escaped = '{"type":"call","\\u0074ype":"call"}'
        refused(edge.say(CREATE, escaped), 400, "malformed_request")

    @pytest.mark.parametrize("levels", [33, 100, 10_000])
    def test_bodies_deeper_than_32_levels(self, edge: Edge, levels: int) -> None:
        refused(edge.say(CREATE, deep(levels)), 400, "malformed_request")

    def test_bytes_that_are_no_utf_8(self, edge: Edge) -> None:
        latin = a_call(subject="Gärtnerei").encode().replace(b"\\u00e4", b"\xe4")
        refused(edge.say(CREATE, latin), 400, "malformed_request")

    @pytest.mark.parametrize("body", ["", " \n"])
    @pytest.mark.parametrize("command", NEED_A_BODY)
    def test_an_empty_body_where_one_is_needed(self, edge: Edge, command: str, body: str) -> None:
        refused(edge.say(command, body), 400, "malformed_request")

    @pytest.mark.parametrize("body", ["null", "[]", "1", '"text"', "true", "[{}]"])
    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_json_that_is_no_object(self, edge: Edge, command: str, body: str) -> None:
        refused(edge.say(command, body), 422, "invalid", "body")


class TestTooMuch:
    def test_a_body_beyond_256_kib(self, edge: Edge) -> None:
        for size in (256 * KIB + 1, 1024 * KIB):
            body = a_call().ljust(size)
            refused(edge.say(CREATE, body), 413, "too_large")

    def test_a_body_beyond_256_kib_that_does_not_say_its_size(self, edge: Edge) -> None:
        chunks = (b" " * KIB for _ in range(300))
        reply = edge.client.call("POST", "/activities", content=chunks, headers={"content-type": "application/json"})
        refused(reply, 413, "too_large")

    @pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_a_body_that_is_not_said_to_be_json(self, edge: Edge, command: str, media: str) -> None:
        refused(edge.say(command, "{}", content_type=media), 415, "unsupported_media_type")

    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_a_body_that_is_not_said_to_be_anything(self, edge: Edge, command: str) -> None:
        method, path = command.replace("{id}", edge.activity["id"]).split()
        refused(edge.client.call(method, path, content=b"{}"), 415, "unsupported_media_type")


SURROGATE = "\ud800"
INVALID: list[tuple[str, Any]] = [
    ("type", "party"),
    ("type", 7),
    ("type", None),
    ("type", SURROGATE),
    ("subject", " "),
    ("subject", "x" * 256),
    ("subject", "a\u0000b"),
    ("subject", SURROGATE),
    ("subject", 7),
    ("description", "x" * (32 * KIB + 1)),
    ("description", "a\u0000b"),
    ("description", f"a{SURROGATE}b"),
    ("description", "a\u001bb"),
    ("priority", "highest"),
    ("status", "overdue"),
    ("status", "cancelled"),
    ("activityable_type", "user"),
    ("activityable_id", ""),
    ("activityable_id", "x" * 65),
    ("contact_id", 5),
    ("assigned_user_id", "x" * 65),
    ("due_at", "2025-12-20T14:00:00"),
    ("due_at", "2025-12-20"),
    ("due_at", "1734706800"),
    ("due_at", 1734706800),
    ("due_at", "9999-12-31T23:59:59-12:00"),
    ("due_at", "0001-01-01T00:00:00+14:00"),
    ("reminder_at", "soon"),
    ("follow_up_date", "2025-02-30"),
    ("follow_up_date", "2025-12-20T14:00:00Z"),
    ("duration_minutes", "30"),
    ("duration_minutes", 30.5),
    ("duration_minutes", -1),
    ("duration_minutes", 2**62),
    ("billable_rate", 10.001),
    ("billable_rate", 1e12),
    ("billable_rate", "10"),
    ("is_billable", "yes"),
    ("tags", [f"t{n}" for n in range(51)]),
    ("tags", "a"),
    ("custom_fields", {f"k{n}": 1 for n in range(101)}),
    ("custom_fields", {"k": "x" * 16 * KIB}),
    ("custom_fields", {"k": "a\u0000"}),
    ("custom_fields", {"a\u0000": 1}),
    ("custom_fields", {SURROGATE: 1}),
    ("custom_fields", []),
    ("attachment_urls", "https://example.com"),
    ("participants", {"id": "u-2"}),
    ("completed_at", "2025-12-20T14:00:00Z"),
    ("follow_up_of_id", "no such"),
    ("surprise", 1),
    ("id", "01JFJ0000000000000000000AA"),
    ("version", 1),
    ("created_at", "2025-12-20T14:00:00Z"),
    ("organization_id", "other"),
    ("is_overdue", False),
]


class TestInvalidFields:
    @pytest.mark.parametrize(
        ("field", "value"), INVALID, ids=lambda value: str(value).encode("ascii", "replace")[:30].decode()
    )
    def test_are_named(self, edge: Edge, field: str, value: Any) -> None:
        code = "related_entity_not_found" if field == "follow_up_of_id" else "invalid"
        refused(edge.say(CREATE, a_call(**{field: value})), 422, code, field)

    @pytest.mark.parametrize("field", ["type", "subject", "activityable_type", "activityable_id"])
    def test_are_missing(self, edge: Edge, field: str) -> None:
        said = {name: value for name, value in A_CALL.items() if name != field}
        refused(edge.say(CREATE, json.dumps(said)), 422, "invalid", field)

    def test_are_all_named_at_once(self, edge: Edge) -> None:
        problem = refused(edge.say(CREATE, '{"priority":"x","surprise":1}'), 422, "invalid", "type")
        assert problem["errors"].keys() == {
            "type",
            "subject",
            "activityable_type",
            "activityable_id",
            "priority",
            "surprise",
        }

    @pytest.mark.parametrize(
        ("tag", "named"), [("x" * 65, "tags.1"), ("", "tags.1"), (7, "tags.1"), ("a\u0000", "tags.1")]
    )
    def test_are_named_by_their_place_inside_a_list(self, edge: Edge, tag: Any, named: str) -> None:
        refused(edge.say(CREATE, a_call(tags=["fine", tag])), 422, "invalid", named)

    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_are_unknown_to_every_command(self, edge: Edge, command: str) -> None:
        refused(edge.say(command, '{"surprise":1}'), 422, "invalid", "surprise")

    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_may_have_names_that_are_no_text(self, edge: Edge, command: str) -> None:
        refused(edge.say(command, '{"\\ud800":1}'), 422, "invalid")
        refused(edge.say(command, '{"\\u0000":1}'), 422, "invalid")

    @pytest.mark.parametrize(
        ("command", "body", "field"),
        [
            ("POST /activities/{id}/reschedule", {}, "new_due_at"),
            ("POST /activities/{id}/reschedule", {"new_due_at": None}, "new_due_at"),
            ("POST /activities/{id}/reschedule", {"new_due_at": "2025-12-20T14:00:00"}, "new_due_at"),
            (
                "POST /activities/{id}/reschedule",
                {"new_due_at": "2025-12-21T14:00:00Z", "priority": "x"},
                "priority",
            ),
            ("POST /activities/{id}/reschedule", {"new_due_at": "0001-01-01T00:00:00Z"}, "reminder_at"),
            ("PATCH /activities/{id}", {"due_at": "0001-01-01T00:00:00Z"}, "reminder_at"),
            ("PATCH /activities/{id}", {"subject": None}, "subject"),
            ("PATCH /activities/{id}", {"priority": None}, "priority"),
            ("PATCH /activities/{id}", {"completed_at": "2025-12-20T14:00:00Z"}, "completed_at"),
            ("POST /activities/{id}/complete", {"completed_at": "2999-01-01T00:00:00Z"}, "completed_at"),
            ("POST /activities/{id}/complete", {"outcome": "x" * (32 * KIB + 1)}, "outcome"),
            ("POST /activities/{id}/complete", {"create_follow_up": True}, "follow_up_date"),
            ("POST /activities", {**A_CALL, "create_follow_up": True}, "follow_up_date"),
            ("POST /activities/{id}/cancel", {"reason": 7}, "reason"),
            ("POST /activities/{id}/cancel", {"reschedule": "yes"}, "reschedule"),
            ("POST /customers", {}, "name"),
            ("POST /customers", {"name": "Acme", "status": "asleep"}, "status"),
            ("PUT /opportunities/o-1", {"name": "Deal", "value": 1e12}, "value"),
            ("POST /activities/bulk-actions", {"action": "cancel", "activity_ids": []}, "activity_ids"),
            (
                "POST /activities/bulk-actions",
                {"action": "cancel", "activity_ids": ["x"] * 501},
                "activity_ids",
            ),
            ("POST /activities/bulk-actions", {"action": "explode", "activity_ids": ["x"]}, "action"),
        ],
    )
    def test_are_named_by_other_commands_too(self, edge: Edge, command: str, body: Json, field: str) -> None:
        refused(edge.say(command, json.dumps(body)), 422, "invalid", field)

    @pytest.mark.parametrize("body", [{"reschedule": True}, {"reschedule_date": "2025-12-27T14:00:00Z"}])
    def test_need_each_other(self, edge: Edge, body: Json) -> None:
        problem = refused(edge.say("POST /activities/{id}/cancel", json.dumps(body)), 422, "invalid")
        assert "reschedule_date" in problem["detail"]


class TestUnknownRelatedRecords:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("activityable_id", "c-2"),
            ("activityable_type", "lead"),
            ("contact_id", "c-1"),
            ("assigned_user_id", "u-404"),
            ("follow_up_of_id", "01JFJ0000000000000000000AA"),
            ("follow_up_of_id", "ÿ" * 26),
        ],
    )
    @pytest.mark.parametrize("command", [CREATE, "PATCH /activities/{id}"])
    def test_are_refused_in_the_guides_words(self, edge: Edge, command: str, field: str, value: str) -> None:
        body = a_call(**{field: value}) if command == CREATE else json.dumps({field: value})
        named = "activityable_id" if field == "activityable_type" else field
        problem = refused(edge.say(command, body), 422, "related_entity_not_found", named)
        assert problem["message"] == "Related entity not found"


class TestQueryParameters:
    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("colour=red", "colour"),
            ("Type=call", "Type"),
            ("type=party", "type"),
            ("type=call,party", "type"),
            ("status=late", "status"),
            ("priority=highest", "priority"),
            ("activityable_type=user", "activityable_type"),
            ("activityable_id=" + "x" * 65, "activityable_id"),
            ("contact_id=%00", "contact_id"),
            ("assigned_user_id=" + "x" * 65, "assigned_user_id"),
            ("tags=" + "x" * 65, "tags"),
            ("due_date_from=tomorrow", "due_date_from"),
            ("due_date_from=2025-02-30", "due_date_from"),
            ("due_date_to=2025-12-20T14:00:00", "due_date_to"),
            ("due_date_to=", "due_date_to"),
            ("tz=Vienna", "tz"),
            ("tz=../../etc/passwd", "tz"),
            ("search=", "search"),
            ("search=%00", "search"),
            ("search=" + "x" * 257, "search"),
            ("per_page=0", "per_page"),
            ("per_page=101", "per_page"),
            ("per_page=ten", "per_page"),
            ("per_page=-1", "per_page"),
            ("per_page=1.5", "per_page"),
            ("per_page=%C2%B2", "per_page"),
            ("page=0", "page"),
            ("page=99999999999999999999", "page"),
            ("sort_by=subject", "sort_by"),
            ("sort_direction=up", "sort_direction"),
            ("includes=everything", "includes"),
            ("cursor=rubbish", "cursor"),
            ("cursor=%C3%A9", "cursor"),
            ("cursor=", "cursor"),
            ("cursor=" + "x" * 513, "cursor"),
        ],
    )
    def test_of_the_list_are_named(self, edge: Edge, query: str, field: str) -> None:
        refused(edge.say(f"GET /activities?{query}"), 422, "invalid", field)

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("/activities/search", "q"),
            ("/activities/search?q=x", "q"),
            ("/activities/search?q=" + "x" * 257, "q"),
            ("/activities/search?q=ab%00", "q"),
            ("/activities/overdue?sort_by=created_at", "sort_by"),
            ("/activities/follow-ups?state=forgotten", "state"),
            ("/activities/{id}?colour=red", "colour"),
            ("/activities/{id}?includes=everything", "includes"),
            ("/activity-types?colour=red", "colour"),
            ("/customers?colour=red", "colour"),
            ("/customers?sort_by=email", "sort_by"),
            ("/customers/c-1?colour=red", "colour"),
        ],
    )
    def test_of_other_questions_are_named(self, edge: Edge, path: str, field: str) -> None:
        refused(edge.say(f"GET {path}"), 422, "invalid", field)

    @pytest.mark.parametrize("command", EACH_COMMAND)
    def test_commands_take_none(self, edge: Edge, command: str) -> None:
        refused(edge.say(f"{command}?colour=red", "{}"), 422, "invalid", "colour")

    def test_page_and_cursor_exclude_each_other(self, edge: Edge) -> None:
        cursor = self.a_cursor(edge)
        refused(edge.say(f"GET /customers?per_page=1&page=1&cursor={cursor}"), 422, "invalid", "cursor")

    def test_a_cursor_belongs_to_its_list_its_filters_and_its_order(self, edge: Edge) -> None:
        cursor = self.a_cursor(edge)
        assert edge.say(f"GET /customers?cursor={cursor}").status_code == 200
        for other in (
            "/customers?sort_direction=desc&",
            "/customers?sort_by=name&",
            "/customers?search=a&",
            "/leads?",
        ):
            refused(edge.say(f"GET {other}cursor={cursor}"), 422, "invalid", "cursor")

    def test_a_cursor_that_was_tampered_with_is_none(self, edge: Edge) -> None:
        cursor = self.a_cursor(edge)
        identity, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        assert isinstance(value, str)
        for other in (
            [identity, "soon", key],
            [identity, "\u0000", key],
            [identity, SURROGATE, key],
            [identity],
        ):
            forged = base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip("=")
            refused(edge.say(f"GET /customers?cursor={forged}"), 422, "invalid", "cursor")

    def a_cursor(self, edge: Edge) -> str:
        found: str | None = edge.client.ok("GET", "/customers", params={"per_page": 1})["meta"]["next_cursor"]
        assert found is not None
        return found


class TestWhatIsNotThere:
    @pytest.mark.parametrize("id_", ["01JFJ0000000000000000000AA", "x", "x" * 300, "%00", "%C3%BF" * 26, "I" * 26])
    @pytest.mark.parametrize("action", ["", "/start", "/complete", "/restore"])
    def test_an_activity(self, edge: Edge, action: str, id_: str) -> None:
        request = f"POST /activities/{id_}{action}" if action else f"GET /activities/{id_}"
        reply = edge.say(request, "{}" if action else None)
        refused(reply, 404, "not_found")
        assert reply.json()["detail"] == "Activity not found"

    @pytest.mark.parametrize("noun", ["leads", "customers", "opportunities", "contacts", "accounts", "users"])
    def test_a_record(self, edge: Edge, noun: str) -> None:
        refused(edge.say(f"GET /{noun}/no-such"), 404, "not_found")
        refused(edge.say(f"PATCH /{noun}/no-such", '{"name":"x"}'), 404, "not_found")

    @pytest.mark.parametrize("path", ["/nothing", "/activities/", "/activities/{id}/explode", "/customers/c-1/x"])
    def test_a_place(self, edge: Edge, path: str) -> None:
        refused(edge.say(f"GET {path}"), 404, "not_found")

    @pytest.mark.parametrize(
        ("request_", "allow"),
        [
            ("DELETE /activities", {"GET", "POST"}),
            ("POST /activities/{id}", {"GET", "PUT", "PATCH", "DELETE"}),
            ("GET /activities/{id}/start", {"POST"}),
            ("PATCH /activities/overdue/", None),
            ("DELETE /customers/c-1", {"GET", "PUT", "PATCH"}),
        ],
    )
    def test_a_method(self, edge: Edge, request_: str, allow: set[str] | None) -> None:
        reply = edge.say(request_)
        if allow is None:
            refused(reply, 404, "not_found")
        else:
            refused(reply, 405, "method_not_allowed")
            assert set(reply.headers["allow"].split(", ")) <= allow

    @pytest.mark.parametrize("id_", ["%00", "%7F", "x" * 65])
    def test_a_record_under_an_id_that_cannot_be(self, edge: Edge, id_: str) -> None:
        refused(edge.say(f"PUT /customers/{id_}", '{"name":"x"}'), 422, "invalid", "id")


class TestHeaders:
    @pytest.mark.parametrize("tag", ["²", "x", '"x"', '"²"', 'W/"1.abc"', "1", '"999999999999999999999999"'])
    def test_an_if_match_that_is_none_of_ours_never_matches(self, edge: Edge, tag: str) -> None:
        reply = edge.client.call(
            "PATCH",
            f"/activities/{edge.activity['id']}",
            {"subject": "x"},
            headers={"If-Match": tag.encode("latin-1")},
        )
        refused(reply, 412, "stale_version")

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_an_idempotency_key_that_is_none(self, edge: Edge, key: str) -> None:
        refused(edge.say(CREATE, a_call(), Idempotency_Key=key), 422, "invalid")

    def test_no_credential_a_bad_one_or_anothers_organisation(self, edge: Edge) -> None:
        url = f"{edge.client.service.url}/api/v1/crm/activities"
        for headers in (
            {},
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic eDp5"},
            {"Authorization": "Bearer"},
        ):
            reply = httpx.get(url, headers=headers)
            refused(reply, 401, "unauthenticated")
            assert reply.headers["www-authenticate"].startswith("Bearer")
        refused(edge.say("GET /activities", X_Organization_ID="other"), 403, "forbidden")

    def test_a_request_id_that_could_break_a_log_line_is_replaced(self, edge: Edge) -> None:
        given = edge.say("GET /nothing", X_Request_ID="my-own.id_1")
        assert refused(given, 404, "not_found")["request_id"] == "my-own.id_1"
        for strange in ("x" * 65, "a b", "a;b", "{}"):
            replaced = refused(edge.say("GET /nothing", X_Request_ID=strange), 404, "not_found")
            assert replaced["request_id"] != strange


def test_a_problem_never_repeats_what_was_sent(edge: Edge) -> None:
    secret = "hunter2-hunter2-hunter2"
    for body in (a_call(priority=secret), a_call(due_at=secret), a_call(tags=[secret * 4])):
        reply = edge.say(CREATE, body)
        refused(reply, 422, "invalid")
        assert secret not in reply.text
