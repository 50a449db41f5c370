"""The README does what it says: its tour and its commands are run, its settings are the settings."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTIVITIES = Path(sys.executable).parent / "activities"


def block(name: str) -> str:
    found = re.search(rf"```bash {name}\n(.*?)```", README, re.DOTALL)
    assert found, f"README has no block {name}"
    return found.group(1)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="activities-readme-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def run(script: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    told = script.replace(".venv/bin/activities", str(ACTIVITIES))
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", told],
        cwd=ROOT,
        env={**os.environ, "ACTIVITIES_DATA_DIR": str(home), **env},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[str]:
    """What `activities serve` prints, once it is ready."""
    serving = subprocess.Popen(
        [str(ACTIVITIES), "serve", "--port", "0", "--data-dir", str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ACTIVITIES_DATABASE_URL": ""},
    )
    assert serving.stdout is not None
    said = serving.stdout.readline()
    try:
        assert said.startswith("ready at http://127.0.0.1:"), said
        yield said.removeprefix("ready at ").strip()
    finally:
        serving.terminate()
        assert serving.wait(timeout=20) == 0


def test_the_two_commands_are_the_ones_promised() -> None:
    assert "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/activities serve\n" in README
    assert "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest\n" in README
    assert "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest\n" in (
        ROOT / ".ci" / "run"
    ).read_text(encoding="utf-8")


def test_the_tour_can_be_taken_line_by_line(url: str, home: Path) -> None:
    taken = run(block("tour").replace("http://127.0.0.1:8000", url), home)

    assert taken.returncode == 0, taken.stderr
    answers = [line for line in taken.stdout.splitlines() if line]
    assert all(line.startswith('{"success":true') for line in answers)
    assert "<mark>Pricing</mark>" in taken.stdout
    assert '"rescheduled_count":1' in taken.stdout
    assert '"state":"open"' in taken.stdout
    assert "activity.completed.v1" in taken.stdout
    assert (
        '"changes":{"due_at":{"before":"2030-12-20T14:00:00Z","after":"2030-12-27T14:00:00Z","events":[' in taken.stdout
    )
    assert '"position":5,"head":' in taken.stdout


def test_every_command_of_operation_works_beside_the_running_service(url: str, home: Path) -> None:
    for line in block("operate").strip().splitlines():
        done = run(line, home)
        assert done.returncode == 0, f"{line}: {done.stdout} {done.stderr}"


def test_the_log_proves_itself_as_promised(url: str, home: Path) -> None:
    assert run(block("tour").replace("http://127.0.0.1:8000", url), home).returncode == 0
    proved = run(block("prove").replace("audit-acme", str(home / "audit-acme")), home)

    assert proved.returncode == 0, proved.stderr
    assert "ok: events 1 to" in proved.stdout
    assert "under a checkpoint, as recorded" in proved.stdout


def test_the_settings_table_is_the_settings() -> None:
    table = README.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]
    told = re.findall(r"^\| `ACTIVITIES_([A-Z_]+)` \| ([^|]*) \| (.*) \|$", table, re.MULTILINE)

    assert told == [
        (name.upper(), default_of(field.default), field.description) for name, field in Settings.model_fields.items()
    ]


def default_of(default: object) -> str:
    if default is None or "Undefined" in repr(default):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)
