"""The signer: remembers outside the database, is one at a time, loses nothing when killed, and can be content again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from proving import Proving
from service import eventually

from api.serving.environment import module_path
from application.postgres.connections import Role, conninfo
from application.proof.notes import Checkpoint
from projections.lease import Lease
from projections.signing.custody import Custody
from projections.signing.signer import Signer, take_over

PATIENCE = 60


@contextmanager
def running(proving: Proving) -> Iterator[subprocess.Popen[bytes]]:
    """A signer as `activities serve` runs it."""
    env = {
        **os.environ,
        **module_path(os.environ),
        "ACTIVITIES_DATABASE_URL": proving.dsn,
        "ACTIVITIES_DATA_DIR": str(proving.directory),
        "ACTIVITIES_SIGNER_INTERVAL": "0.05",
    }
    process = subprocess.Popen([sys.executable, "-m", "projections.signing"], env=env, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_its_key_and_its_heads_are_for_nobody_else(signed: Proving) -> None:
    files = [path for path in (signed.directory / "signer").rglob("*") if path.is_file()]
    assert len(files) == 2  # the key, and the head of acme
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert (signed.directory / "signer").stat().st_mode & 0o777 == 0o700


def test_a_key_others_may_read_is_refused(signed: Proving) -> None:
    (signed.directory / "signer" / "key").chmod(0o644)
    with pytest.raises(ValueError, match="may be read by others"):
        _ = signed.custody


def test_the_same_head_is_not_signed_twice_and_growth_is_consistent(signed: Proving) -> None:
    before = signed.rows("select size, note from audit_checkpoints order by size")
    signed.sign()
    assert signed.rows("select size, note from audit_checkpoints order by size") == before
    assert [size for size, _ in before] == [20, 30]


def test_after_a_restart_it_goes_on_from_its_head(signed: Proving) -> None:
    signed.record(5)
    signed.sign(signed.signer())
    assert signed.signed() == 35
    assert signed.verify(signed.bundle()).code == 0


def test_a_checkpoint_that_was_kept_but_not_shown_is_shown_after_the_crash(signed: Proving) -> None:
    """It keeps the head first: killed in between, the database has not heard of it."""
    note = signed.rows("select note from audit_checkpoints where size = 30")[0][0]
    signed.tamper("delete from audit_checkpoints where size = 30")
    signed.sign()
    assert signed.rows("select note from audit_checkpoints where size = 30")[0][0] == note


def test_killed_again_and_again_it_loses_nothing_and_signs_one_history(proving: Proving) -> None:
    for _ in range(6):
        with running(proving) as process:
            for _ in range(4):
                proving.record(3)
                proving.grow()
                time.sleep(0.02)  # somewhere in its round
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
    with running(proving):
        eventually(lambda: proving.signed() == 72, PATIENCE, "all is signed")
    notes = [row[0] for row in proving.rows("select note from audit_checkpoints order by size")]
    key = proving.custody.verifier("acme")
    assert [Checkpoint.read(note, key).size for note in notes][-1] == 72
    verdict = proving.verify(proving.bundle())
    assert verdict.code == 0, verdict.said
    assert proving.alarm() is None


def test_one_signs_at_a_time(signed: Proving) -> None:
    with psycopg.connect(conninfo(signed.dsn, Role.SIGNER), autocommit=True) as another:
        assert Lease("another", "signer").hold(another) is not None
        signed.record(5)
        signed.grow()
        with psycopg.connect(conninfo(signed.dsn, Role.SIGNER), autocommit=True) as connection:
            signer = signed.signer()
            assert signer._lease.hold(connection) is None
            signer._reign(connection)
        assert signed.signed() == 30
    signed.sign()  # the other's connection is gone, and with it its lease
    assert signed.signed() == 35


def test_a_signer_with_another_key_signs_nothing_until_it_is_told_to_take_over(signed: Proving, caplog: Any) -> None:
    stranger = Custody(signed.directory / "elsewhere", "activities")
    signed.record(5)
    signed.sign(signed.signer(stranger))
    assert signed.signed() == 30
    assert "another key signs for this database" in caplog.text

    take_over(signed.dsn, stranger)
    signed.sign(signed.signer(stranger))
    assert signed.signed() == 35
    bundle = signed.bundle()
    assert signed.verify(bundle, key=str(stranger.verifier("acme"))).code == 0
    assert signed.verify(bundle).code == 1, "with the old key nothing newer verifies"


def test_after_a_backup_was_put_back_on_purpose_a_new_key_goes_on_from_it(proving: Proving) -> None:
    proving.record(20)
    proving.sign()
    with proving.backup() as backup:
        proving.record(10)
        proving.sign()
        backup.sign()
        assert backup.alarm() is not None

        new = Custody(backup.directory / "new", "activities")
        take_over(backup.dsn, new)
        backup.sign(backup.signer(new))
        assert backup.alarm() is None
        assert backup.verify(backup.bundle(), key=str(new.verifier("acme"))).code == 0
        assert backup.verify(backup.bundle()).code == 1, "auditors must be told of the new key"


def test_a_lost_head_is_made_up_for_by_what_it_published(signed: Proving) -> None:
    for head in (signed.directory / "signer" / "heads").iterdir():
        head.unlink()
    signed.tamper("update audit_tiles set hashes = set_byte(hashes, 3, 255 - get_byte(hashes, 3)) where level = 0")
    signed.record(1)
    signed.sign()
    assert signed.alarm() is not None
    assert signed.signed() == 30


def test_a_head_somebody_wrote_is_no_head(signed: Proving) -> None:
    [head] = (signed.directory / "signer" / "heads").iterdir()
    head.write_text(head.read_text().replace("\n30\n", "\n20\n"))
    signed.record(1)
    signed.sign()
    alarm = signed.alarm()
    assert alarm is not None and "the head kept outside is none" in alarm[1]
    assert signed.signed() == 30


def test_a_changed_new_event_is_not_signed_and_once_it_is_right_again_it_is(signed: Proving) -> None:
    signer = signed.signer()
    signed.sign(signer)
    signed.record(5)
    signed.grow()
    signed.tamper("update events set topic = 'activity.created.v9' where position = 33")
    signed.sign(signer)
    assert signed.alarm() == (33, "is not what it was when the tree took it in")
    assert signed.rows("select alarms, unsigned from audit_signer") == [(1, 35)]

    signed.tamper("update events set topic = 'activity.created.v1' where position = 33")
    signed.sign()
    assert signed.alarm() is None
    assert signed.signed() == 35
    assert signed.rows("select alarms, unsigned from audit_signer") == [(0, 0)]


def test_an_old_event_is_found_by_the_patrol_and_the_other_logs_are_signed_all_the_same(signed: Proving) -> None:
    signed.record(3, "bolt")
    signer = signed.signer()
    for _ in range(3):  # a piece of one log a round
        signed.sign(signer)
    signed.tamper("update events set state = state || ' ' where organization_id = 'bolt' and position = 2")
    for _ in range(3):
        signed.sign(signer)
    assert signed.alarm("bolt") is None, "every log is gone over once a day, and at the start"

    fresh = signed.signer()
    for _ in range(3):
        signed.sign(fresh)
    assert signed.alarm("bolt") == (2, "is not what it was when the tree took it in")
    signed.record(1, "bolt")
    signed.record(1)
    signed.sign(fresh)
    assert signed.signed("bolt") == 3, "what has an alarm is not signed"
    assert signed.signed() == 31

    shorter = "substr(state, 1, length(state) - 1)"
    signed.tamper(f"update events set state = {shorter} where organization_id = 'bolt' and position = 2")
    signed.sign()
    assert signed.alarm("bolt") is None
    assert signed.signed("bolt") == 4


def test_a_log_that_is_gone_altogether_is_missed(signed: Proving) -> None:
    signed.tamper(
        *(f"delete from {table}" for table in ("events", "heads", "audit_tiles", "audit_checkpoints", "cursors"))
    )
    signed.sign()
    assert signed.alarm() == (1, "is gone: 30 were signed, the tree has 0")


def test_a_tree_that_does_not_grow_within_what_a_receipt_promises_is_an_alarm(signed: Proving) -> None:
    signed.record(1)
    signer = Signer(signed.dsn, signed.custody, threading.Event(), 1, patience=0.2)
    with psycopg.connect(conninfo(signed.dsn, Role.SIGNER), autocommit=True) as connection:
        signer.round(connection)
        assert signed.alarm() is None
        time.sleep(0.3)  # longer than the promise
        signer.round(connection)
        assert signed.alarm() == (31, "is not in the tree: it does not grow")
        signed.grow()
        signer.round(connection)
        assert signed.alarm() is None
    assert signed.signed() == 31


def test_tiles_of_an_event_that_was_changed_before_the_tree_took_it_in_contradict_its_receipt(proving: Proving) -> None:
    """Before the first checkpoint over it an event is protected by its receipt, and by nothing else."""
    receipts = proving.record(9)
    proving.tamper("update events set state = state || ' ' where position = 5")
    proving.sign()
    bundle = proving.bundle()
    assert proving.verify(bundle).code == 0
    promised = proving.directory / "receipts.txt"
    promised.write_text("\n".join(receipts))
    verdict = proving.verify(bundle, "--receipts", str(promised))
    assert verdict.code == 1
    assert "TAMPERED event 5: the receipt of events 5 to 5 promised another" in verdict.said


def test_of_old_checkpoints_one_an_hour_stays(signed: Proving) -> None:
    signed.tamper("update audit_checkpoints set signed_at = date_trunc('hour', signed_at) - interval '30 hours'")
    signed.record(1)
    signed.sign()
    assert [row[0] for row in signed.rows("select size from audit_checkpoints order by size")] == [30, 31]
