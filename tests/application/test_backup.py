"""A backup is one moment of everything; what is restored is that, or nothing at all."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service import Service, database_copy

from api.commands.backups import OF_REBUILDS
from application.backup import archive
from application.backup.backing_up import back_up
from application.backup.errors import BackupError, Refused, Unreadable
from application.backup.manifest import Manifest
from application.backup.restoring import restore
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import all_migrations, migrate
from projections.read_models import READ_MODELS
from projections.rebuild import Rebuild
from projections.verify import verify

_LOG = """
select organization_id, position, originator_id, originator_version, topic, state, metadata, recorded_at
  from activities.events order by organization_id, position
"""


KEPT = {"type": "call", "subject": "Kept", "activityable_type": "customer", "activityable_id": "c-1"}


def quiet(count: int) -> None:
    """Nobody is told of the progress."""


def saved(dsn: str, path: Path) -> Manifest:
    return back_up(dsn, path, quiet, keys="k", without=OF_REBUILDS)


def restored(dsn: str, path: Path, **how: Any) -> Manifest:
    return restore(dsn, path, quiet, without=OF_REBUILDS, **how)


def ask(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(sql).fetchall()


def drift(dsn: str) -> list[Any]:
    verdicts = list(verify(dsn, READ_MODELS.values(), quiet))
    return [v for v in verdicts if v.drift or v.wrong_counts]


@pytest.fixture(scope="module")
def source(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """A database somebody has worked with, and that is at rest."""
    with database_copy(server, template) as dsn:
        with Service(dsn, workers=1) as service:
            for organization in ("acme", "beta"):
                with service.client(organization) as client:
                    client.record()
                    calls = [client.create(subject=f"Tab\there, line\nthere, \\ and é {n}") for n in range(20)]
                    client.act(calls[0], "complete", outcome="Done")
                    client.call("POST", "/activities", KEPT, headers={"Idempotency-Key": "k"})
                    client.delete(calls[1])
                    client.rows()
                    for path in ("/activities/search?q=zz", "/activities/overdue", "/activities/follow-ups"):
                        client.ok("GET", path)
        yield dsn


@pytest.fixture
def backup(source: str, tmp_path: Path) -> Path:
    path = tmp_path / "backup"
    saved(source, path)
    return path


def test_all_of_it_comes_back_as_it_was(source: str, backup: Path, empty_database: str) -> None:
    manifest = restored(empty_database, backup)

    assert ask(empty_database, _LOG) == ask(source, _LOG)
    assert (manifest.organizations, manifest.events) == (2, len(ask(source, _LOG)))
    for table in manifest.tables:
        everything = f"select t::text from activities.{table.name} t order by 1"
        assert ask(empty_database, everything) == ask(source, everything), table.name
    assert drift(empty_database) == []
    with Service(empty_database, workers=1) as service, service.client("acme") as client:
        assert client.ok("GET", "/activities")["meta"]["total"] == 20
        again = client.call("POST", "/activities", KEPT, headers={"Idempotency-Key": "k"})
        assert again.headers["Idempotent-Replayed"] == "true"
        client.create()


def test_it_is_one_file_for_its_owner_alone_and_nothing_is_left_beside_it(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]


def test_a_file_that_is_there_stays(source: str, backup: Path) -> None:
    before = backup.read_bytes()
    with pytest.raises(Refused, match="is there already"):
        saved(source, backup)
    assert backup.read_bytes() == before


def test_a_backup_that_fails_leaves_no_file(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.backup.backing_up.write_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved(source, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_cut_file_is_refused_wherever_it_was_cut(backup: Path, database: str) -> None:
    whole = backup.read_bytes()
    for length in (0, 10, len(whole) // 3, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        backup.write_bytes(whole[:length])
        with pytest.raises(Unreadable):
            restored(database, backup)
    assert ask(database, "select count(*) from activities.heads") == [(0,)]


def test_a_changed_byte_is_noticed_wherever_it_is(backup: Path, database: str) -> None:
    whole = backup.read_bytes()
    for place in range(40, len(whole), max(len(whole) // 60, 1)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        backup.write_bytes(bytes(damaged))
        try:
            with archive.opened(backup) as (opened, manifest):
                archive.checked(opened, manifest, quiet)
        except BackupError:
            continue
        original = zipfile.ZipFile(shutil.copy(backup, backup.with_name("copy")))
        assert same_contents(original, whole, backup), f"byte {place} was changed unnoticed"
    assert ask(database, "select count(*) from activities.heads") == [(0,)]


def same_contents(damaged: zipfile.ZipFile, whole: bytes, path: Path) -> bool:
    """A byte that means nothing (a time, an attribute) may be another one."""
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as good:
        return all(damaged.read(name) == good.read(name) for name in good.namelist())


@pytest.mark.parametrize("content", [b"", b"not a backup", b"PK\x03\x04"])
def test_another_file_is_refused(tmp_path: Path, database: str, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="not a whole backup"):
        restored(database, path)


def test_rows_that_do_not_fit_the_manifest_are_refused(backup: Path, database: str) -> None:
    """Not by accident, then: the digests are right."""
    path = backup.with_name("made")
    with zipfile.ZipFile(backup) as good, zipfile.ZipFile(path, "w") as made:
        manifest = json.loads(good.read("manifest.json"))
        for table in manifest["tables"]:
            rows = good.read(f"tables/{table['name']}.copy")
            if table["name"] == "events":
                rows = rows[rows.index(b"\n") + 1 :]
                table |= {"rows": table["rows"] - 1, "sha256": archive.sha256(rows).hexdigest()}
            made.writestr(f"tables/{table['name']}.copy", rows)
        made.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(Unreadable, match="gaps"):
        restored(database, path)
    assert ask(database, "select count(*) from activities.heads") == [(0,)]


def test_a_database_that_is_not_empty_is_replaced_only_when_told(source: str, backup: Path, database: str) -> None:
    with Service(database, workers=1) as service, service.client("other") as client:
        client.record()
    before = ask(database, _LOG)
    assert before
    with pytest.raises(Refused, match="--replace"):
        restored(database, backup)
    assert ask(database, _LOG) == before

    restored(database, backup, replace=True)

    assert ask(database, _LOG) == ask(source, _LOG)
    assert drift(database) == []


def test_a_service_at_work_is_never_pulled_the_log_from_under(backup: Path, database: str) -> None:
    with Service(database, workers=1) as service, service.client("other") as client:
        client.record()
        with pytest.raises(Refused, match="at work"):
            restored(database, backup, replace=True)
        client.create()
        assert len(client.rows()) == 1


def test_a_backup_of_an_older_version_is_brought_up_to_date(tmp_path: Path, empty_database: str) -> None:
    """Taken before the last migration, restored after it."""
    newest = all_migrations()[-1]
    migrate(empty_database, upto=newest.number - 1)
    old = tmp_path / "old"
    manifest = back_up(empty_database, old, quiet, keys="k")
    assert f"{newest.number:04} {newest.name}" not in manifest.migrations

    restored(empty_database, old, replace=True)

    assert ask(empty_database, "select max(number) from activities.migrations") == [(newest.number,)]


def test_a_backup_of_a_newer_version_is_refused(backup: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = all_migrations()[:-1]
    monkeypatch.setattr("application.backup.restoring.all_migrations", lambda: older)
    with pytest.raises(Refused, match="of a newer version"):
        restored(database, backup)


def test_a_database_that_was_never_migrated_has_nothing_to_back_up(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing to back up"):
        saved(empty_database, tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def test_a_role_that_row_level_security_blinds_is_refused(source: str, tmp_path: Path) -> None:
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("drop role if exists half_sighted")
        connection.execute("create role half_sighted login")
    with pytest.raises(Refused, match="BYPASSRLS"):
        saved(source.replace("postgres@", "half_sighted@"), tmp_path / "backup")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Any]:
    """`activities ...` on an embedded database of its own."""
    home = Path(tempfile.mkdtemp(prefix="activities-backup-"))

    def run(*arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        ours = {name: value for name, value in os.environ.items() if not name.startswith("ACTIVITIES_")}
        return subprocess.run(
            [Path(sys.executable).parent / "activities", *arguments],
            env={**ours, "ACTIVITIES_DATA_DIR": str(home), **env},
            capture_output=True,
            text=True,
            timeout=100,
        )

    yield run
    shutil.rmtree(home, ignore_errors=True)


def test_from_a_server_by_url_to_an_embedded_one(source: str, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    taken = run("backup", file, ACTIVITIES_DATABASE_URL=source, ACTIVITIES_API_KEY_PEPPER="another pepper than there")
    assert taken.returncode == 0, taken.stderr
    events = len(ask(source, _LOG))
    assert f"{events} events of 2 organisations" in taken.stdout

    back = run("restore", file)
    assert back.returncode == 0, back.stderr
    assert f"restored {events} events of 2 organisations" in back.stdout
    assert "api-key-pepper" in back.stdout
    assert "encryption-key" in back.stdout
    assert run("verify").returncode == 1
    same = {"ACTIVITIES_ENCRYPTION_KEY": os.environ["ACTIVITIES_ENCRYPTION_KEY"]}
    assert run("verify", **same).returncode == 0
    again = run("restore", file)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.splitlines()[-1].startswith("activities: the database is not empty")
    assert run("backup", file).stderr.splitlines()[-1] == f"activities: {file} is there already"


@pytest.mark.timeout(180)
def test_taken_under_load_it_is_a_prefix_with_everything_acknowledged_before(
    server: EmbeddedPostgres, template: str, empty_database: str, tmp_path: Path
) -> None:
    with database_copy(server, template) as dsn, Service(dsn, workers=2) as service:
        stop = threading.Event()
        acknowledged: list[str] = []

        def work(number: int) -> None:
            with service.client(f"org-{number % 2}", f"u-{number}") as client:
                client.record()
                while not stop.is_set():
                    acknowledged.append(client.create()["id"])

        writers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for writer in writers:
            writer.start()
        rebuild_while_writing(dsn, acknowledged)
        before = list(acknowledged)
        manifest = saved(dsn, tmp_path / "backup")
        after = len(acknowledged)
        stop.set()
        for writer in writers:
            writer.join()
        assert after > len(before), "nothing was written while the backup was taken"
        restored(empty_database, tmp_path / "backup")

        log, kept = ask(dsn, _LOG), ask(empty_database, _LOG)
        heads = dict(ask(empty_database, "select organization_id, position from activities.heads"))
        assert kept == [row for row in log if row[1] <= heads.get(row[0], 0)]
        assert manifest.events == len(kept)
        ids = {json.loads(row[5])["id"] for row in kept if row[4] == "activity.created.v1"}
        assert set(before) <= ids
        assert drift(empty_database) == []
        with Service(empty_database, workers=1) as again, again.client("org-0") as client:
            total = client.ok("GET", "/activities")["meta"]["total"]
            assert total == sum(row[0] == "org-0" and row[4] == "activity.created.v1" for row in kept)


def rebuild_while_writing(dsn: str, acknowledged: list[str]) -> None:
    """A rebuilt table has another past; wait for enough to be there, too."""
    Rebuild(dsn, READ_MODELS["overdue"]).run(quiet)
    reached = threading.Event()
    for _ in range(600):
        if len(acknowledged) >= 50 or reached.wait(0.1):
            return
    raise AssertionError("nothing was written")
