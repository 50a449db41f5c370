"""Bad luck of every kind: waits have a bound, who waits in vain is told so, and nothing acknowledged is lost.

The whole tree each time, and afterwards it serves as before, without anybody having started anything anew.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from test_serve import Serving, command_lines, descendants, eventually, home  # noqa: F401, a fixture

from application.postgres.embedded import EmbeddedPostgres

A_CALL = {"type": "call", "subject": "Call", "activityable_type": "lead", "activityable_id": "l-1"}
BOUND = 25.0
"""Seconds nobody has to wait longer than, whatever is wrong."""
_WAITS = "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'activities_writer'"
SOON = 5.0


def within(seconds: float) -> float:
    """Seconds, and more where others keep the machine busy."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Writer:
    """Creates one activity after the other; remembers what was acknowledged, and how long the longest wait was."""

    def __init__(self, serving: Serving) -> None:
        self.http = httpx.Client(base_url=serving.http.base_url, headers=serving.http.headers, timeout=within(BOUND))
        self.acknowledged: list[str] = []
        self.answers: list[httpx.Response] = []
        self.longest = 0.0

    def create(self) -> httpx.Response | None:
        """None where the worker itself went away meanwhile."""
        began = time.monotonic()
        try:
            answer = self.http.post("/activities", json=A_CALL)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - began)
        self.answers.append(answer)
        if answer.status_code == 201:
            self.acknowledged.append(answer.json()["data"]["id"])
        return answer

    def until(self, status: int, seconds: float, what: str) -> httpx.Response:
        deadline = time.monotonic() + seconds
        while True:
            answer = self.create()
            if answer is not None and answer.status_code == status:
                return answer
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}: {answer and answer.text}"
            time.sleep(0.05)

    def nothing_lost(self, serving: Serving) -> None:
        """Everything acknowledged is there, and whoever was refused was told to come again."""
        for answer in self.answers:
            assert answer.status_code in (201, 503), answer.text
            assert answer.status_code != 503 or int(answer.headers["Retry-After"]) >= 1
        serving.total()  # once the read tables are there
        found: set[str] = set()
        cursor = None
        while True:
            said = serving.http.get("/activities", params={"per_page": 100} | ({"cursor": cursor} if cursor else {}))
            found |= {row["id"] for row in said.json()["data"]}
            cursor = said.json()["meta"]["next_cursor"]
            if cursor is None:
                break
        assert set(self.acknowledged) <= found


@pytest.fixture
def serving(home: Path) -> Iterator[Serving]:  # noqa: F811
    serving = Serving(home)
    serving.create()
    try:
        yield serving
    finally:
        assert serving.stop() == 0


@pytest.fixture
def writer(serving: Serving) -> Iterator[Writer]:
    writer = Writer(serving)
    yield writer
    writer.http.close()


@contextmanager
def connected(serving: Serving, dbname: str = "activities") -> Iterator[psycopg.Connection[Any]]:
    with EmbeddedPostgres(serving.home) as server, psycopg.connect(server.dsn(dbname), autocommit=True) as connection:
        connection.execute("set search_path = activities, public")
        yield connection


def readiness(serving: Serving) -> tuple[int, str]:
    reply = httpx.get(f"{serving.url}/health/ready", timeout=BOUND)
    return reply.status_code, reply.json().get("reason", "")


def the_servers(serving: Serving) -> list[int]:
    """PostgreSQL's processes of this data directory, the postmaster first."""
    postmaster = next(pid for pid, line in command_lines() if f"-D {serving.home}" in line and "postgres" in line)
    return [postmaster, *(pid for pid, _ in descendants(postmaster))]


@pytest.mark.timeout(150)
def test_a_frozen_database_keeps_nobody_waiting_for_long(serving: Serving, writer: Writer) -> None:
    writer.until(201, within(SOON), "it serves")
    frozen = the_servers(serving)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(6) as at_once:
            began = time.monotonic()
            writes = [at_once.submit(writer.create) for _ in range(3)]
            reads = [at_once.submit(serving.http.get, "/activities", timeout=within(BOUND)) for _ in range(2)]
            ready = at_once.submit(readiness, serving)
            assert {answer.result().status_code for answer in writes} == {503}
            assert {answer.result().status_code for answer in reads} == {503}
            assert all("Retry-After" in answer.result().headers for answer in (*writes, *reads))
            assert ready.result() == (503, "the database does not answer")
            assert time.monotonic() - began < within(BOUND)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    writer.until(201, within(BOUND), "it serves again")
    eventually(serving.answers, "it is ready again")
    writer.nothing_lost(serving)


@pytest.mark.timeout(120)
def test_lost_connections_lose_nothing(serving: Serving, writer: Writer) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            writer.create()

    thread = threading.Thread(target=work)
    with connected(serving) as connection:
        thread.start()
        for _ in range(8):
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'"
                " and pid <> pg_backend_pid() and application_name like 'activities_%'"
            )
            stop.wait(0.3)
        stop.set()
        thread.join(BOUND)
    writer.until(201, within(SOON), "it serves")
    assert len(writer.acknowledged) > 8
    eventually(serving.answers, "it is ready again")
    writer.nothing_lost(serving)


@pytest.mark.timeout(120)
def test_reads_that_all_wait_are_refused_in_time_and_writes_go_on(serving: Serving, writer: Writer) -> None:
    with connected(serving) as connection, ThreadPoolExecutor(24) as at_once, connection.transaction():
        connection.execute("lock table activity_list in access exclusive mode")
        began = time.monotonic()
        reads = [at_once.submit(serving.http.get, "/activities", timeout=within(BOUND)) for _ in range(24)]
        writer.until(201, within(SOON), "commands are taken all the same")
        answers = [read.result() for read in reads]
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
        assert time.monotonic() - began < within(BOUND)
    eventually(serving.answers, "it is ready again")
    writer.nothing_lost(serving)


@pytest.mark.timeout(120)
def test_an_organisation_somebody_keeps_locked_waits_in_vain_and_not_for_long(serving: Serving, writer: Writer) -> None:
    with connected(serving) as connection, connection.transaction():
        connection.execute("select position from heads where organization_id = 'acme' for update")
        answer = writer.create()
        assert answer is not None
        assert answer.status_code == 503
        assert writer.longest < within(BOUND)
    writer.until(201, within(SOON), "it serves again")
    writer.nothing_lost(serving)


@pytest.mark.timeout(60)
def test_a_projector_that_stands_still_is_told(serving: Serving, writer: Writer) -> None:
    projector = serving.member("projections")
    os.kill(projector, signal.SIGSTOP)
    try:
        eventually(lambda: readiness(serving) == (503, "no projector is at work"), "readiness tells")
        writer.until(201, within(SOON), "commands are taken all the same")
    finally:
        os.kill(projector, signal.SIGCONT)
    eventually(serving.answers, "it is ready again")
    writer.nothing_lost(serving)


@pytest.mark.parametrize("what", ["api.worker", "projections", "postgres"])
def test_what_is_killed_is_back_within_five_seconds(serving: Serving, writer: Writer, what: str) -> None:
    victim = the_servers(serving)[0] if what == "postgres" else serving.member(what)
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    writer.until(201, within(SOON), f"commands are served without {what}")
    eventually(lambda: serving.answers() and victim not in dict(command_lines()), "it is ready")
    assert time.monotonic() - began < within(SOON)
    writer.nothing_lost(serving)


@pytest.mark.timeout(60)
def test_a_stop_lets_those_finish_who_are_being_served(home: Path) -> None:  # noqa: F811
    serving = Serving(home)
    serving.create()
    writer = Writer(serving)
    with connected(serving) as connection, ThreadPoolExecutor(1) as beside:
        with connection.transaction():
            connection.execute("select position from heads where organization_id = 'acme' for update")
            under_way = beside.submit(writer.create)
            with connected(serving) as other:
                eventually(lambda: other.execute(_WAITS).fetchone() is not None, "the command waits for its log")
            serving.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            time.sleep(1)  # the time it takes to be served, after the signal
        answer = under_way.result()
        assert answer is not None
        assert answer.status_code == 201
    assert serving.process.wait(timeout=20) == 0
    assert time.monotonic() - began < within(10)
    assert serving.family() == {}


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of its own, where the system lets us have one."""
    place = Path(tempfile.mkdtemp(prefix="activities-disk-"))
    size = f"size={megabytes}m,mode=0755"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], capture_output=True, text=True)
    if made.returncode:
        place.rmdir()
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


@pytest.mark.timeout(170)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told_and_once_there_is_room_all_goes_on() -> None:
    with small_disk(400) as disk:
        serving = Serving(disk / "data")
        try:
            serving.create()
            writer = Writer(serving)
            writer.until(201, within(SOON), "it serves")
            ballast = disk / "ballast"
            fill(ballast)
            refused = writer.until(503, 60, "the disk is noticed to be full")
            assert int(refused.headers["Retry-After"]) >= 1
            assert readiness(serving)[0] == 503
            ballast.unlink()
            writer.until(201, within(BOUND), "it serves again")
            eventually(serving.answers, "it is ready again")
            assert writer.longest < within(BOUND)
            writer.nothing_lost(serving)
        finally:
            assert serving.stop() == 0


def fill(path: Path) -> None:
    """With zeros, to the last block."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
