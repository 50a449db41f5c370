"""Each migration is applied once, whoever comes, and however many come at the same time."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from application.postgres.migrations import all_migrations, migrate

HOUSE = Path(__file__).parents[2]
PROCESSES = 9
PATIENCE = 60.0
STARTER = """
import sys
from application.postgres.migrations import migrate
print("ready", flush=True)
sys.stdin.readline()
print(*migrate(sys.argv[1]), sep="\\n")
"""
ALL = [f"{migration.number:04} {migration.name}" for migration in all_migrations()]


def applied(dsn: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            select to_char(number, 'fm0000') || ' ' || name, applied_at
              from activities.migrations
             order by number
            """
        ).fetchall()


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    assert [migration.number for migration in all_migrations()] == list(range(1, len(ALL) + 1))


def test_what_is_applied_is_not_applied_again(empty_database: str) -> None:
    assert migrate(empty_database) == ALL
    before = applied(empty_database)
    assert migrate(empty_database) == []
    assert applied(empty_database) == before
    assert [name for name, _ in before] == ALL


@pytest.mark.timeout(90)
def test_nine_processes_starting_at_once_on_an_empty_database_all_succeed(empty_database: str) -> None:
    command = [sys.executable, "-c", STARTER, empty_database]
    with ExitStack() as ended:
        starters = [
            ended.enter_context(
                subprocess.Popen(
                    command,
                    cwd=HOUSE,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(PROCESSES)
        ]
        for starter in starters:
            ended.callback(starter.kill)
        for starter in starters:
            assert starter.stdout
            assert starter.stdout.readline() == "ready\n"
        for starter in starters:
            assert starter.stdin
            starter.stdin.write("\n")
            starter.stdin.flush()
        said = [starter.communicate(timeout=PATIENCE) for starter in starters]

    assert [errors for _, errors in said] == [""] * PROCESSES
    assert [starter.returncode for starter in starters] == [0] * PROCESSES
    assert sorted(output.split("\n")[:-1] for output, _ in said if output.strip()) == [ALL]
    assert [name for name, _ in applied(empty_database)] == ALL
