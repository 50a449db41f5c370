"""What every process of the service logs, and how: one line an entry, text or JSON, never anything personal.

An entry says when, how grave, which part of the service, and what; the request and the organisation it was for, where
there was one.
"""

import logging
import os
import sys
import threading
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from application.impersonal import failure, without_values

REQUEST: ContextVar[Mapping[str, Any] | None] = ContextVar("request", default=None)
"""The state of the request being served: its `request_id`, and its `organization` once that is known."""

_OURS = ("api", "application", "projections", "domain")
_OF_REQUEST = ("request_id", "organization")
_PUT_ASIDE = ("positional_args", "exc_info", "stack_info")
_EXTRAS = ("organization", "route", "method", "status", "milliseconds")

Entry = MutableMapping[str, Any]


def configure(process: str, *, format: str, level: str) -> None:
    """Make this process log to stderr. `process` is the part it plays: serve, worker or projector."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(process, format))
    logging.raiseExceptions = False  # a line that cannot be made would be complained about with all its values
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    sys.excepthook = last_words
    threading.excepthook = lambda end: last_words(end.exc_type, end.exc_value, end.exc_traceback)


def formatter(process: str, format: str) -> logging.Formatter:
    """Turns a record into its line."""

    def of_process(logger: object, method: str, entry: Entry) -> Entry:
        return {**entry, "process": process, "pid": os.getpid()}

    as_text = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    return ProcessorFormatter(
        processors=[
            _impersonal,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=_EXTRAS),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            of_process,
            _of_request,
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer() if format == "json" else as_text,
        ],
        keep_exc_info=True,
        pass_foreign_args=True,
    )


def _of_request(logger: object, method: str, entry: Entry) -> Entry:
    state = REQUEST.get() or {}
    return {**entry, **{name: state[name] for name in _OF_REQUEST if name in state}}


def _impersonal(logger: object, method: str, entry: Entry) -> Entry:
    record: logging.LogRecord = entry["_record"]
    if record.name.partition(".")[0] not in _OURS:
        entry["event"] = without_values(str(record.msg), entry.get("positional_args"))
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = record.exc_text = record.stack_info = None  # nobody else is to put them into words
    told = {} if error is None else failure(error)
    return {name: value for name, value in entry.items() if name not in _PUT_ASIDE} | told


def last_words(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    """An exception nobody caught ends the process, or a thread of it; it is told as any other."""
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        ended = (kind, error or kind(), traceback)
        logging.getLogger(__name__).critical("ended by a failure", exc_info=ended)
