"""What operators are given works: TLS, the container's way of running it, the service unit."""

import configparser
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from application.settings import Settings

ROOT = Path(__file__).parents[2]
OPERATING = ROOT / "api" / "operating"
ACTIVITIES = Path(sys.executable).parent / "activities"
CONTAINERS_USER = 10001
SOMEBODY = pwd.getpwnam("nobody")
"""Who is not root; PostgreSQL wants its user to be a known one, as the container file makes it."""


@pytest.fixture
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="activities-operating-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def environment(home: Path, **settings: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ACTIVITIES_")}
    return {**ours, "ACTIVITIES_DATA_DIR": str(home), "TMPDIR": str(home), **settings}


@contextmanager
def running(command: list[str | Path], env: Mapping[str, str]) -> Iterator[str]:
    """The URL a serve says it is ready at; it ends well, too."""
    serving = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    said = serving.stdout.readline()
    try:
        assert said.startswith("ready at "), said
        yield said.removeprefix("ready at ").strip()
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=20) == 0


def self_made_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "activities")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    no_encryption = serialization.NoEncryption()
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_encryption)
    )
    return files


@pytest.mark.timeout(100)
def test_with_a_certificate_it_serves_https_and_nothing_else(home: Path, tmp_path: Path) -> None:
    certificate, key = self_made_certificate(tmp_path)
    env = environment(home, ACTIVITIES_TLS_CERTIFICATE=str(certificate), ACTIVITIES_TLS_KEY=str(key))
    with running([ACTIVITIES, "serve", "--port", "0"], env) as url:
        assert url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(certificate))
        reply = httpx.get(f"{url}/health/ready", verify=trusting)
        assert reply.status_code == 200
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{url.replace('https', 'http')}/health/ready")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health/ready")
        status = subprocess.run(
            [ACTIVITIES, "status", "--once", "--url", url],
            env={**env, "SSL_CERT_FILE": str(certificate)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert status.returncode == 0, status.stdout


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"ACTIVITIES_TLS_CERTIFICATE": "/nowhere.pem"}, "TLS certificate /nowhere.pem: No such file or directory"),
        ({"ACTIVITIES_TLS_KEY": "/nowhere.pem"}, "there is a TLS key, but no certificate"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_one_line(home: Path, settings: dict[str, str], line: str) -> None:
    done = subprocess.run(
        [ACTIVITIES, "serve", "--port", "0"],
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"activities: {line}")


@pytest.mark.timeout(100)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make the file system read-only for somebody else")
def test_it_runs_as_the_container_runs_it(home: Path) -> None:
    """Not as root, on a file system of which nothing but the data directory can be written to."""
    os.chown(home, SOMEBODY.pw_uid, SOMEBODY.pw_gid)
    script = (
        'mount --bind "$ACTIVITIES_DATA_DIR" "$ACTIVITIES_DATA_DIR" && mount -o remount,bind,ro / &&'
        f" exec setpriv --reuid {SOMEBODY.pw_uid} --regid {SOMEBODY.pw_gid} --clear-groups --no-new-privs"
        ' --inh-caps=-all --bounding-set=-all "$@"'
    )
    if not somebody_may_run_python():
        pytest.skip("somebody else may not run what is installed here")
    alone = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    if (tried := subprocess.run([*alone, "true"], env=environment(home), capture_output=True, text=True)).returncode:
        pytest.skip(f"no file system of one's own here: {tried.stderr.strip()}")
    env = environment(home, PYTHONDONTWRITEBYTECODE="1", HOME=str(home))
    with running([*alone, ACTIVITIES, *command_of_container(), "--port", "0"], env) as url:
        health = [sys.executable, ACTIVITIES, *healthcheck_of_container(), "--url", url]
        assert subprocess.run(health, env=env, capture_output=True, timeout=60).returncode == 0
        assert {path.stat().st_uid for path in home.iterdir()} == {SOMEBODY.pw_uid}


def somebody_may_run_python() -> bool:
    """And start it again from there, as the service does with its parts."""
    script = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'import api']).returncode)"
    somebody = ["setpriv", "--reuid", str(SOMEBODY.pw_uid), "--regid", str(SOMEBODY.pw_gid), "--clear-groups"]
    try:
        return subprocess.run([*somebody, sys.executable, "-c", script], capture_output=True).returncode == 0
    except OSError:
        return False


CONTAINERFILE = (OPERATING / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def lines_of_container(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.*)$", CONTAINERFILE, re.MULTILINE)


def words(said: str) -> list[str]:
    """A command as its JSON array."""
    return re.findall(r'"([^"]*)"', said)


def command_of_container() -> list[str]:
    assert words(lines_of_container("ENTRYPOINT")[-1]) == ["activities"]
    return words(lines_of_container("CMD")[-1])


def healthcheck_of_container() -> list[str]:
    program, *arguments = words(lines_of_container("HEALTHCHECK")[-1])
    assert program == "activities"
    return arguments


def test_the_container_file_copies_what_is_there_and_runs_as_nobody_special() -> None:
    copied = [source for line in lines_of_container("COPY") if "--from" not in line for source in line.split()[:-1]]
    assert {"domain", "application", "projections", "api", "pyproject.toml", "constraints.txt"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert lines_of_container("USER") == [f"{CONTAINERS_USER}:{CONTAINERS_USER}"]
    assert f"--uid {CONTAINERS_USER}" in CONTAINERFILE
    assert command_of_container() == ["serve"]
    set_there = re.findall(r"ACTIVITIES_([A-Z_]+)=", lines_of_container("ENV")[-1])
    assert {name.lower() for name in set_there} <= set(Settings.model_fields)


def test_the_unit_gives_the_service_time_to_stop_and_nothing_it_does_not_need() -> None:
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((OPERATING / "activities.service").read_text(encoding="utf-8"))
    service = unit["Service"]
    assert service["ExecStart"].split()[1:] == command_of_container()
    assert int(service["TimeoutStopSec"]) > 10
    assert (service["DynamicUser"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("yes", "strict", "yes")
    assert service["CapabilityBoundingSet"] == ""
    set_there = re.findall(r"ACTIVITIES_([A-Z_]+)=", service["Environment"])
    assert {name.lower() for name in set_there} <= set(Settings.model_fields)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_little_exposed() -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", OPERATING / "activities.service"],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    level = re.search(r"exposure level for activities.service: ([\d.]+)", said.stdout)
    assert level, said.stderr
    assert float(level[1]) <= 2.0
