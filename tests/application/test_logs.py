"""A log line says what happened, where, and for which request; whatever was sent stays out of it."""

import json
import logging
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest

from application import logs
from application.impersonal import without_values

CANARY = "canary 4711 <private@example.com>"


@pytest.fixture
def said() -> Iterator[StringIO]:
    """What is logged as JSON while a test runs, whatever is logged by."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.formatter("worker", "json"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


def entries(said: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_an_entry_names_the_request_and_the_organisation(said: StringIO) -> None:
    before = logs.REQUEST.set({"request_id": "r-1", "organization": "acme", "headers": [CANARY]})
    logging.getLogger("api.http.somewhere").warning("it was %s", "slow")
    logs.REQUEST.reset(before)

    (entry,) = entries(said)
    assert (entry["event"], entry["level"], entry["process"]) == ("it was slow", "warning", "worker")
    assert (entry["request_id"], entry["organization"]) == ("r-1", "acme")
    assert entry["timestamp"].endswith("Z")
    assert CANARY not in said.getvalue()


def test_a_failure_is_told_by_kind_and_place_and_never_in_its_own_words(said: StringIO) -> None:
    def fails() -> None:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error

    try:
        fails()
    except ValueError:
        logging.getLogger("application.desk").exception("it failed")

    (entry,) = entries(said)
    assert (entry["failure"], entry["because"]) == ("builtins.ValueError", ["builtins.KeyError"])
    assert entry["at"][-1].endswith(" fails")
    assert "canary" not in said.getvalue()


def test_a_database_failure_has_its_state(said: StringIO, server: Any) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        try:
            connection.execute("select %s::text::uuid", (CANARY,))
        except psycopg.Error:
            logging.getLogger("projections.projector").exception("it failed")

    (entry,) = (one for one in entries(said) if one["event"] == "it failed")
    assert entry["failure"] == "psycopg.errors.InvalidTextRepresentation (22P02)"
    assert "canary" not in said.getvalue()


@pytest.mark.parametrize(
    ("template", "values", "line"),
    [
        ("error connecting in %r: %s", ("pool", ValueError(CANARY)), "error connecting in <str>: <ValueError>"),
        ("took %.3f seconds, %d times, by %s", (1.5, 3, CANARY), "took 1.500 seconds, 3 times, by <str>"),
        ("of %(name)s", ({"name": CANARY},), "of <str>"),
        (f"Exception in callback Thing.do({CANARY!r})", (), "Exception in callback Thing.do"),
        (f"Future exception was never retrieved\nfuture: <{CANARY}>", (), "Future exception was never retrieved"),
    ],
)
def test_what_libraries_say_is_told_without_the_values(
    said: StringIO, template: str, values: tuple[Any, ...], line: str
) -> None:
    logging.getLogger("some.library").error(template, *values, extra={"secret": CANARY})
    (entry,) = entries(said)
    assert entry["event"] == line
    assert "canary" not in said.getvalue()


def test_a_message_its_values_do_not_fit_is_cut_short() -> None:
    assert without_values("%d of (it)", (CANARY,)) == "%d of"


def test_what_ends_a_thread_is_told_like_any_failure(said: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda end: logs.last_words(*end[:3]))

    def dies() -> None:
        raise RuntimeError(CANARY)

    thread = threading.Thread(target=dies)
    thread.start()
    thread.join()

    (entry,) = entries(said)
    assert (entry["event"], entry["level"], entry["failure"]) == (
        "ended by a failure",
        "critical",
        "builtins.RuntimeError",
    )
    assert "canary" not in said.getvalue()


def test_lines_for_people_say_the_same() -> None:
    record = logging.makeLogRecord({"name": "api.worker", "levelname": "INFO", "msg": "it began", "levelno": 20})
    line = logs.formatter("worker", "text").format(record)
    assert "[info] it began [api.worker]" in line
    assert "\n" not in line
