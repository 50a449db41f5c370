"""The spans there are, and how they are linked. Imported only where traces are wanted.

Spans say which organisation, command and request; nothing of what a command says, and nobody's name.
"""

import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from ulid import ULID

from application.command import Answer, Order
from domain.refusals import Refusal

MOST_LINKS = 128
_EXPORT_SECONDS = 2
_NOBODY = Context()

_command: ContextVar[str | None] = ContextVar("command", default=None)


class _Ids(RandomIdGenerator):
    """Random ones, but for the span of a command: those follow from its id."""

    def generate_trace_id(self) -> int:
        command_id = _command.get()
        return super().generate_trace_id() if command_id is None else _trace_of(command_id)

    def generate_span_id(self) -> int:
        command_id = _command.get()
        return super().generate_span_id() if command_id is None else _span_of(command_id)


def _trace_of(command_id: str) -> int:
    """The bits of its ULID; of what is none, a digest's."""
    try:
        return int(ULID.from_str(command_id))
    except ValueError:
        return int.from_bytes(sha256(command_id.encode()).digest()[:16])


def _span_of(command_id: str) -> int:
    return int.from_bytes(sha256(command_id.encode()).digest()[:8])


def context_of(command_id: str) -> SpanContext:
    """Where a command's span is found, in whichever process it was recorded."""
    return SpanContext(_trace_of(command_id), _span_of(command_id), is_remote=True, trace_flags=TraceFlags(1))


def exporting(process: str, endpoint: str | None) -> "Spans":
    """Spans that are sent by OTLP over HTTP, in the background; without an endpoint, where the variables say."""
    resource = Resource.create({"service.name": "activities", "activities.process": process})
    provider = TracerProvider(resource=resource, id_generator=_Ids())
    to = None if endpoint is None else f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(to, timeout=_EXPORT_SECONDS)))
    return Spans(provider)


class Spans:
    """What a process does, as spans of `provider`'s."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("activities")
        self._propagator = TraceContextTextMapPropagator()

    def request(self, headers: Mapping[str, str], began: int) -> Span:
        """The span of a request, a child of the caller's where it says so. Make it current; end it."""
        parent = self._propagator.extract(headers, _NOBODY)
        return self._tracer.start_span("request", parent, SpanKind.SERVER, start_time=began)

    async def command(self, order: Order, answered: Awaitable[Answer]) -> Answer:
        """The answer to an order; what it waited for it is a trace of its own, linked with the request."""
        command = order.command
        request = trace.get_current_span()
        links = [Link(request.get_span_context())] if request.get_span_context().is_valid else []
        attributes = {
            "activities.command_id": command.command_id,
            "activities.organization": command.organization_id,
            **({} if command.request_id is None else {"activities.request_id": command.request_id}),
        }
        before = _command.set(command.command_id)
        span = self._tracer.start_span(f"command {type(command).__name__}", _NOBODY, links=links, attributes=attributes)
        _command.reset(before)
        request.add_link(span.get_span_context(), {"activities.command_id": command.command_id})
        try:
            answer = await answered
        except Exception as error:
            span.set_attribute("activities.outcome", _outcome(span, error))
            raise
        else:
            span.set_attribute("activities.outcome", "replayed" if answer.replayed else "ok")
            return answer
        finally:
            span.end()

    def append(self, organization_id: str, orders: Sequence[Order], seconds: float) -> None:
        """A batch that was served just now, and took so long."""
        ids = [order.command.command_id for order in orders]
        self._linked("append", organization_id, ids, seconds, {"activities.batch_size": len(ids)})

    def project(self, organization_id: str, ids: Iterable[str], seconds: float, about: Mapping[str, Any]) -> None:
        """A stretch of a log that was projected just now; `ids` are those of the commands that led to it."""
        self._linked("project", organization_id, list(ids), seconds, about)

    def _linked(
        self, name: str, organization_id: str, ids: Sequence[str], seconds: float, about: Mapping[str, Any]
    ) -> None:
        ended = time.time_ns()
        linked = list(ids)[:MOST_LINKS]
        span = self._tracer.start_span(
            name,
            _NOBODY,
            links=[Link(context_of(one), {"activities.command_id": one}) for one in linked],
            attributes={"activities.organization": organization_id, "activities.command_ids": linked, **about},
            start_time=ended - int(seconds * 1e9),
        )
        span.end(ended)


def _outcome(span: Span, error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.code
    span.set_status(StatusCode.ERROR)
    return type(error).__name__
