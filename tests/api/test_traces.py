"""Traces: from a request to its command, the batch that recorded it and its projection, by the command's id alone."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from service import Client, Service, database_copy, eventually
from ulid import ULID

from application import tracing
from application.postgres.embedded import EmbeddedPostgres

CANARY = "Kanarienvogel"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Receiver:
    """An OTLP receiver that keeps what it gets: each span with the process that told of it."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        self.raw = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.keep(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def keep(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        self.raw += body
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in of_process.resource.attributes}
            assert about["service.name"] == "activities"
            for scope in of_process.scope_spans:
                self.spans += [(about["activities.process"], span) for span in scope.spans]

    def named(self, name: str) -> list[Any]:
        return [span for _, span in self.spans if span.name == name]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@contextmanager
def serving(dsn: str, **settings: str) -> Iterator[Client]:
    """A user of a service that works with these settings."""
    with Service(dsn, workers=1, **settings) as service, service.client() as client:
        client.record()
        yield client


@pytest.fixture
def traced(server: EmbeddedPostgres, template: str, receiver: Receiver) -> Iterator[Client]:
    settings = {"ACTIVITIES_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with database_copy(server, template) as dsn, serving(dsn, **settings) as client:
        yield client


def attributes(span: Any) -> dict[str, Any]:
    return {
        one.key: [v.string_value for v in one.value.array_value.values] or one.value.string_value or one.value.int_value
        for one in span.attributes
    }


def links(span: Any) -> set[tuple[bytes, bytes]]:
    return {(link.trace_id, link.span_id) for link in span.links}


def place(span: Any) -> tuple[bytes, bytes]:
    return span.trace_id, span.span_id


def test_a_command_s_id_leads_from_its_request_to_its_projection(traced: Client, receiver: Receiver) -> None:
    made = traced.ok(
        "POST",
        "/activities",
        {"type": "call", "subject": CANARY, "activityable_type": "customer", "activityable_id": "c-1"},
        headers={"traceparent": CALLER, "X-Request-Id": "r-1"},
    )["data"]
    (chapter,) = traced.ok("GET", f"/activities/{made['id']}/history")["data"]
    command_id = chapter["command_id"]

    def projected() -> bool:
        return any(command_id in attributes(span)["activities.command_ids"] for span in receiver.named("project"))

    eventually(lambda: projected() and bool(receiver.named("command CreateActivity")), 20, "the spans are there")
    (command,) = receiver.named("command CreateActivity")
    (request,) = receiver.named("POST /api/v1/crm/activities")
    (append,) = [s for s in receiver.named("append") if command_id in attributes(s)["activities.command_ids"]]
    (project,) = [s for s in receiver.named("project") if command_id in attributes(s)["activities.command_ids"]]
    assert command.trace_id == ULID.from_str(command_id).bytes
    assert attributes(command)["activities.command_id"] == command_id
    assert attributes(command)["activities.outcome"] == "ok"
    assert place(request) in links(command)
    assert all(place(command) in links(span) for span in (request, append, project))
    assert request.trace_id.hex() == CALLER.split("-")[1]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert attributes(request)["activities.request_id"] == "r-1"
    assert attributes(request)["http.response.status_code"] == 201
    assert {process for process, span in receiver.spans if span.name == "project"} == {"projector"}
    assert {attributes(span)["activities.organization"] for span in (request, command, append, project)} == {
        traced.organization
    }


def test_spans_hold_nothing_of_what_was_said_and_who_said_it(traced: Client, receiver: Receiver) -> None:
    with traced.service.client(user=CANARY) as client:
        client.record("customers", "c-1", name=CANARY)
        call = client.create(subject=CANARY, description=CANARY, location=CANARY)
        client.rows(search=CANARY)
        assert client.call("POST", f"/activities/{call['id']}/resume").status_code == 409
        assert client.call("GET", f"/activities/{CANARY}").status_code == 404

    eventually(lambda: bool(receiver.named("command ResumeActivity")), 20, "the spans are there")
    eventually(lambda: bool(receiver.named("project")), 20, "the spans are there")
    (refused,) = receiver.named("command ResumeActivity")
    assert attributes(refused)["activities.outcome"] == "action_not_allowed"
    assert CANARY.encode() not in receiver.raw
    assert call["id"].encode() not in receiver.raw


def test_a_receiver_that_is_away_costs_nobody_an_answer(server: EmbeddedPostgres, template: str) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with database_copy(server, template) as dsn, serving(dsn, **settings) as client:
        for _ in range(20):
            client.create()
        assert len(client.rows()) == 20


def test_without_an_exporter_nothing_of_opentelemetry_is_loaded() -> None:
    script = (
        "import sys, api.worker, projections.__main__; from application import tracing; tracing.start('worker', None);"
        "assert tracing.spans is None;"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={}, check=True)
    assert said.stdout.strip() == "[]"


def test_traces_that_are_wanted_and_not_installed_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    with pytest.raises(tracing.NotInstalled, match="pip install"):
        tracing.refuse_missing("http://127.0.0.1:4318")
