"""`activities serve`, the whole of it: one process tree that mends itself, keeps its data and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from process_tree import command_lines, descendants

ACTIVITIES = Path(sys.executable).parent / "activities"
PATIENCE = 20.0


class Serving:
    """A running `activities serve` on a data directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [ACTIVITIES, "serve", "--port", "0", "--data-dir", home],
            stdout=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "ACTIVITIES_DATABASE_URL"},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("ready at http://127.0.0.1:"), said
        self.url = said.removeprefix("ready at ").strip()
        token = subprocess.run(
            [ACTIVITIES, "token", "--organization", "acme", "--user", "u-1", "--data-dir", home],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        self.http = httpx.Client(
            base_url=f"{self.url}/api/v1/crm", headers={"Authorization": f"Bearer {token}"}, timeout=10
        )

    def stop(self) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)

    def create(self) -> dict[str, Any]:
        assert self.http.put("/leads/l-1", json={"name": "Lead"}).is_success
        body = {"type": "call", "subject": "Call", "activityable_type": "lead", "activityable_id": "l-1"}
        reply = self.http.post("/activities", json=body)
        assert reply.status_code == 201, reply.text
        data: dict[str, Any] = reply.json()["data"]
        return data

    def total(self) -> int:
        """Of an answer that is not behind: one that is says so, while no projector is at work."""
        answers: list[httpx.Response] = []

        def fresh() -> bool:
            answers.append(self.http.get("/activities").raise_for_status())
            return "Projection-Lag" not in answers[-1].headers

        eventually(fresh, "a fresh answer")
        return int(answers[-1].json()["meta"]["total"])

    def family(self) -> dict[int, str]:
        """Every process of this data directory and its command line."""
        return {pid: line for pid, line in command_lines() if str(self.home) in line or pid == self.process.pid}

    def member(self, what: str) -> int | None:
        """The process of that module, below this serve."""
        return next((pid for pid, line in descendants(self.process.pid) if line.endswith(f" {what}")), None)

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="activities-serve-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def serving(home: Path) -> Iterator[Serving]:
    serving = Serving(home)
    try:
        yield serving
    finally:
        assert serving.stop() == 0


def test_data_outlives_a_restart_and_nothing_is_left_behind(home: Path) -> None:
    first = Serving(home)
    made = first.create()
    assert first.stop() == 0
    assert first.family() == {}

    again = Serving(home)
    assert again.http.get(f"/activities/{made['id']}").json()["data"]["subject"] == "Call"
    assert again.stop() == 0


@pytest.mark.parametrize("what", ["api.worker", "projections", "projections.signing"])
def test_a_killed_part_is_back_and_reads_see_what_was_written(serving: Serving, what: str) -> None:
    serving.create()
    victim = serving.member(what)
    assert victim is not None

    os.kill(victim, signal.SIGKILL)

    eventually(lambda: serving.answers() and serving.member(what) not in (victim, None), f"{what} is back")
    serving.create()
    assert serving.total() == 2


def test_a_killed_database_is_back_with_everything_that_was_acknowledged(serving: Serving) -> None:
    for _ in range(5):
        serving.create()
    victim = next(pid for pid, line in command_lines() if f"-D {serving.home}" in line and "postgres" in line)

    os.kill(victim, signal.SIGKILL)

    eventually(serving.answers, "the service is ready again")
    assert serving.total() == 5
    serving.create()
    assert serving.total() == 6


def test_a_second_serve_shares_the_server_and_goes_on_when_the_first_ends(home: Path) -> None:
    first = Serving(home)
    second = Serving(home)
    try:
        first.create()
        assert second.total() == 1
        assert first.stop() == 0

        eventually(second.answers, "the second is ready")
        second.create()
        assert second.total() == 2
    finally:
        assert second.stop() == 0
    assert second.family() == {}


def test_a_killed_parent_leaves_nothing_behind(home: Path) -> None:
    serving = Serving(home)
    serving.create()
    family = [pid for pid, _ in descendants(serving.process.pid)]
    assert family

    os.kill(serving.process.pid, signal.SIGKILL)
    serving.process.wait()

    alive = lambda: [line for pid, line in command_lines() if pid in family or str(home) in line]  # noqa: E731
    eventually(lambda: not alive(), "nothing is left")
