"""The family of processes, with tiny stand-in children: kept alive, stopped together, never orphaned."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.serving.environment import environment_of
from api.serving.errors import CannotServe
from api.serving.listening import listening, port_of, url_of
from api.serving.readiness import Readiness
from api.serving.serve import serve
from api.serving.stop_signal import StopSignal
from api.serving.supervisor import Child, Supervisor, pause_before_restart
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.waiting import wait_until
from application.settings import Settings

PROJECT = Path(__file__).parents[2]
PATIENCE = 5.0

TELL = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True); "
SLEEPER = TELL + "time.sleep(600)"
ON_A_LIFELINE = "from api.serving.lifeline import watch_lifeline; watch_lifeline(); " + SLEEPER
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER

FAMILY = """
import logging, sys
from pathlib import Path
from api.serving.stop_signal import StopSignal
from api.serving.supervisor import Child, Supervisor
from application.postgres.embedded import EmbeddedPostgres

code, told, data_dir = sys.argv[1:]
chores = []
with StopSignal() as stop:
    server = EmbeddedPostgres(Path(data_dir), fsync=False).start() if data_dir else None
    if server:
        print(server.pid, flush=True)
        chores = [lambda: server.alive() or server.start()]
    family = [Child(name, (sys.executable, "-c", code, told)) for name in ("one", "two")]
    result = Supervisor(family).run(stop, chores)
    if server:
        server.stop()
sys.exit(result)
"""


@pytest.fixture(autouse=True)
def only_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ACTIVITIES_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Where children tell their pids, one a line, in the order of their births."""
    return tmp_path / "told"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="activities-test-"))
    yield path
    shutil.rmtree(path)


def pids(told: Path) -> list[int]:
    return [int(line) for line in told.read_text().split()] if told.exists() else []


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(OSError):  # ended, but its parent has not buried it
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    return False


def start_family(code: str, told: Path, data_dir: Path | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", FAMILY, code, str(told), str(data_dir or "")],
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{os.environ.get('PYTHONPATH', '')}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def pid_told_by(family: "subprocess.Popen[str]") -> int:
    assert family.stdout
    return int(family.stdout.readline())


def end(family: "subprocess.Popen[str]", number: signal.Signals) -> int:
    family.send_signal(number)
    family.communicate(timeout=20)
    return family.returncode


def born(told: Path, count: int) -> list[int]:
    assert wait_until(lambda: len(pids(told)) >= count, PATIENCE), f"only {pids(told)} were born"
    return pids(told)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_every_child_and_is_a_clean_end(told: Path, number: signal.Signals) -> None:
    family = start_family(SLEEPER, told)
    children = born(told, 2)
    assert end(family, number) == 0
    assert all(map(is_gone, children))


def test_a_dead_child_is_replaced_at_once(told: Path) -> None:
    family = start_family(SLEEPER, told)
    first = born(told, 2)[0]
    os.kill(first, signal.SIGKILL)
    children = born(told, 3)
    assert end(family, signal.SIGTERM) == 0
    assert all(map(is_gone, children))


def test_the_pause_before_a_restart_doubles_from_nothing_to_five_seconds() -> None:
    pauses = [pause_before_restart(deaths) for deaths in range(1, 9)]
    assert pauses == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_child_that_keeps_dying_is_named_and_started_ever_more_slowly(told: Path) -> None:
    dying = Child("poor soul", (sys.executable, "-c", TELL + "sys.exit(3)", str(told)))
    supervisor = Supervisor([dying])

    def give_up() -> None:
        if why := supervisor.keeps_dying(times=4):
            raise CannotServe(why)

    began = time.monotonic()
    with StopSignal() as stop, pytest.raises(CannotServe, match="poor soul died with exit code 3, 4 times"):
        supervisor.run(stop, [give_up])
    assert len(pids(told)) == 4
    assert time.monotonic() - began >= 0.2 + 0.4


def test_a_child_deaf_to_the_signal_is_killed_after_the_grace(told: Path) -> None:
    supervisor = Supervisor([Child("deaf", (sys.executable, "-c", DEAF, str(told)))], grace=0.3)

    def end_once_born() -> None:
        if pids(told):
            os.kill(os.getpid(), signal.SIGTERM)

    with StopSignal() as stop:
        assert supervisor.run(stop, [end_once_born]) == 0
    assert is_gone(pids(told)[0])


def test_what_a_chore_raises_ends_the_family_too(told: Path) -> None:
    def fail_once_born() -> None:
        if pids(told):
            raise CannotServe("no more")

    with StopSignal() as stop, pytest.raises(CannotServe, match="no more"):
        Supervisor([Child("one", (sys.executable, "-c", SLEEPER, str(told)))]).run(stop, [fail_once_born])
    assert is_gone(pids(told)[0])


def test_the_stop_signal_gives_the_handlers_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait(PATIENCE)
        assert stop.given
    assert before == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))


def test_a_killed_parent_leaves_no_child_and_no_server(told: Path, data_dir: Path) -> None:
    family = start_family(ON_A_LIFELINE, told, data_dir)
    server = pid_told_by(family)
    children = born(told, 2)
    assert end(family, signal.SIGKILL) == -signal.SIGKILL
    assert wait_until(lambda: all(map(is_gone, [server, *children])), PATIENCE)


def test_a_killed_parent_leaves_the_server_to_another_family_on_the_same_data(told: Path, data_dir: Path) -> None:
    starter = start_family(ON_A_LIFELINE, told, data_dir)
    server = pid_told_by(starter)
    children = born(told, 2)
    other = start_family(ON_A_LIFELINE, told.with_name("other"), data_dir)
    assert pid_told_by(other) == server

    end(starter, signal.SIGKILL)

    assert wait_until(lambda: all(map(is_gone, children)), PATIENCE)
    assert not wait_until(lambda: is_gone(server), 1)
    assert end(other, signal.SIGTERM) == 0
    assert is_gone(server)


def test_a_killed_server_is_back_while_the_family_goes_on(told: Path, data_dir: Path) -> None:
    family = start_family(SLEEPER, told, data_dir)
    first = pid_told_by(family)
    children = born(told, 2)
    os.kill(first, signal.SIGKILL)
    witness = EmbeddedPostgres(data_dir, fsync=False)
    assert wait_until(lambda: is_gone(first), PATIENCE)
    with witness:
        assert witness.pid != first
    assert pids(told) == children
    assert end(family, signal.SIGTERM) == 0


def test_a_module_on_a_lifeline_runs_as_if_called_itself(tmp_path: Path) -> None:
    (tmp_path / "some_module.py").write_text("import sys; print(__name__, sys.argv[1:])")
    said = subprocess.run(
        [sys.executable, "-m", "api.serving.lifeline", "some_module", "word"],
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert said.stdout.strip() == "__main__ ['word']"


def test_every_setting_reaches_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(jwt_secret=SecretStr("s" * 32), data_dir=Path("here"), currency="EUR", workers=3)
    for name, value in environment_of(settings, port=4711, database_url="postgresql:///x").items():
        monkeypatch.setenv(name, value)
    expected = {"data_dir": Path("here").absolute(), "port": 4711, "database_url": "postgresql:///x"}
    assert Settings() == settings.model_copy(update=expected)


def test_port_zero_is_any_free_port_and_an_address_with_colons_is_bracketed() -> None:
    with listening("127.0.0.1", 0) as listener:
        assert port_of(listener) > 0
        assert url_of("::1", listener) == f"http://[::1]:{port_of(listener)}"


def test_a_port_in_use_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = port_of(taken)
        assert serve(Settings(port=port)) == 1
    assert capsys.readouterr().err == (f"activities: port {port} on 127.0.0.1 is in use: choose another with --port\n")


def test_an_unreachable_database_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = "postgresql://postgres@/activities?host=/nonexistent"
    assert serve(Settings(port=0, database_url=nowhere)) == 1
    complaint = capsys.readouterr().err
    assert complaint.startswith("activities: database unreachable: ") and complaint.count("\n") == 1


def test_an_unusable_data_directory_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert serve(Settings(port=0, data_dir=tmp_path / "file")) == 1
    assert capsys.readouterr().err == f"activities: data directory {tmp_path / 'file'}: File exists\n"


def test_readiness_has_a_bound_and_says_what_was_in_the_way() -> None:
    readiness = Readiness("127.0.0.1", 1, announce=lambda: None, hopeless=lambda: None, seconds=0)
    with pytest.raises(CannotServe, match=r"not ready within 0 s: .*refused"):
        readiness()
