"""A copy of the checkout in which one room is mutated, and the database its tests share."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import migrate

ROOT = Path(__file__).parents[2]
STOREYS = ("domain", "application", "projections", "api")
_HUNG = 30
"""Seconds after which a test fails as hung: how a mutant is noticed that keeps somebody waiting for ever."""


@contextmanager
def copied(room: Mapping[str, Any]) -> Iterator[Path]:
    """The checkout's files in a folder of their own, with mutmut told of this room alone."""
    with tempfile.TemporaryDirectory(prefix="activities-mutation-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in _files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
        (copy / "pyproject.toml").write_text(_settings(room))
        yield copy


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *STOREYS, "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.splitlines()


def _settings(room: Mapping[str, Any]) -> str:
    left_out = room.get("leave_out", ())
    settings = {
        "source_paths": list(STOREYS),
        "only_mutate": room["mutate"],
        "pytest_add_cli_args_test_selection": room["tests"],
        "pytest_add_cli_args": ["-k", " and ".join(f"not {test}" for test in left_out)] if left_out else [],
        "timeout_constant": 20.0,  # of a mutant that hangs where no test's own time limit reaches
        "timeout_multiplier": 3.0,
    }
    pytest = f'[tool.pytest.ini_options]\naddopts = "-q -p no:xdist -p no:cacheprovider"\ntimeout = {_HUNG}\n'
    return "\n".join([pytest, "[tool.mutmut]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())])


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """The environment of tests that share a server and a template: one for each mutant would take all night."""
    run = f"mutation{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"activities-tests-{run}"  # where tests/conftest.py looks for it
    settings = {"full_page_writes": "off", "max_connections": "300"}
    with EmbeddedPostgres(folder, settings=settings, fsync=False) as server:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute("create database template")
        migrate(server.dsn("template"))
        yield {**os.environ, "PYTEST_XDIST_TESTRUNUID": run, "ACTIVITIES_TESTS_IN_PROCESS": "1"}
