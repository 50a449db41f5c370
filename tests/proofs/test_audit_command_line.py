"""`activities audit ...` as an auditor's colleague types it: what it prints, and with which code it ends."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from proving import Proving, verify

from application.proof.notes import Checkpoint

ACTIVITIES = Path(sys.executable).parent / "activities"
Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def run(signed: Proving) -> Run:
    env = {
        **os.environ,
        "ACTIVITIES_DATABASE_URL": signed.dsn,
        "ACTIVITIES_DATA_DIR": str(signed.directory),
    }

    def run(*arguments: str | Path, **other: str) -> CompletedProcess[str]:
        command = [ACTIVITIES, "audit", *arguments]
        return subprocess.run(command, env=env | other, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_key_is_printed_alone(run: Run, signed: Proving) -> None:
    assert run("key", "--organization", "acme").stdout == f"{signed.key()}\n"
    assert run("key").stdout == f"{signed.custody.verifier('acme').fingerprint}\n"


def test_scrub_ends_with_0_1_or_2(run: Run, signed: Proving) -> None:
    signed.record(3, "bolt")
    done = run("scrub")
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "acme: 30 events, 30 of them under a checkpoint, as recorded",
            "bolt: 3 events, 0 of them under a checkpoint, as recorded",
        ],
    )
    signed.tamper("update events set topic = 'x' where organization_id = 'bolt' and position = 2")
    signed.tamper("update events set topic = 'x' where organization_id = 'acme' and position = 2")
    done = run("scrub", "--organization", "acme")
    assert (done.returncode, done.stdout) == (1, "acme: event 2 is not what it was when the tree took it in\n")
    assert run("scrub", "--organization", "nobody").returncode == 2
    assert run("scrub", ACTIVITIES_DATABASE_URL="host=127.0.0.1 port=9 dbname=nowhere").returncode == 2


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_is_a_directory_or_a_zip_and_carries_its_verifier(run: Run, signed: Proving, name: str) -> None:
    out = signed.directory / name
    done = run("export", "--organization", "acme", "--out", out)
    assert (done.returncode, done.stdout) == (
        0,
        f"{out}: events 1 to 30 of activities/acme, under a checkpoint of 30\n",
    )
    directory = out if out.is_dir() else signed.bundle()
    verdict = verify(directory, str(out), "--key", signed.key())
    assert (verdict.code, "events 1 to 30" in verdict.said) == (0, True)
    assert run("export", "--organization", "acme", "--out", out).returncode == 1, "it is there already"


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 20), (7, 23), (21, 30), (30, 30), (16, 17)])
def test_a_part_of_the_log_is_tied_to_the_signed_root(signed: Proving, first: int, last: int) -> None:
    bundle = signed.bundle(first=first, last=last)
    verdict = signed.verify(bundle)
    assert verdict.code == 0, verdict.said
    assert f"events {first} to {last} of activities/acme" in verdict.said
    events = bundle / "events.ndjson"
    told = events.read_text()
    events.write_text(told.replace("u-1", "u-2", 1))
    verdict = signed.verify(bundle)
    assert verdict.code == 1
    assert f"TAMPERED event {first}:" in verdict.said


@pytest.mark.parametrize(("first", "last"), [(1, 30), (25, 28), (3, 8), (10, 25), (21, 30), (1, 20)])
def test_a_part_is_tied_to_what_the_auditor_held_before(proving: Proving, first: int, last: int) -> None:
    proving.record(20)
    proving.sign()
    held = proving.checkpoint()
    proving.record(10)
    proving.sign()
    verdict = proving.verify(proving.bundle(first=first, last=last, known=held), "--known", str(held))
    assert verdict.code == 0, verdict.said
    assert "the log has grown from the checkpoint you hold (20 events)" in verdict.said

    other = Checkpoint("activities/acme", 20, b"x" * 32).signed(proving.custody._key)
    held.write_text(other)  # somebody else was shown another past
    verdict = proving.verify(proving.bundle(first=first, last=last, known=held), "--known", str(held))
    assert verdict.code == 1
    assert "is not what the checkpoint you hold says" in verdict.said


def test_without_the_hashes_for_it_nothing_is_said_of_an_earlier_checkpoint(proving: Proving) -> None:
    proving.record(20)
    proving.sign()
    held = proving.checkpoint()
    proving.record(10)
    proving.sign()
    verdict = proving.verify(proving.bundle(first=25, last=26), "--known", str(held))
    assert verdict.code == 2
    assert "no proof from your checkpoint of 20 events: export with --known" in verdict.said


def test_receipts_are_counted_as_kept_broken_or_not_in_the_bundle(proving: Proving) -> None:
    receipts = proving.record(12)
    proving.sign()
    bundle = proving.bundle(first=3, last=8)
    verdict = proving.verify(bundle, "--receipt", receipts[3], "--receipt", receipts[7], "--receipt", receipts[11])
    assert verdict.code == 0
    assert "2 receipts are kept" in verdict.said
    assert "not verified: 1 receipts of events that are not in the bundle" in verdict.said
    broken = f"5:{'0' * 64}"
    verdict = proving.verify(bundle, "--receipt", broken)
    assert (verdict.code, "TAMPERED event 5: the receipt" in verdict.said) == (1, True)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda bundle: (bundle / "events.ndjson").unlink(), "the bundle has no events.ndjson"),
        (lambda bundle: (bundle / "manifest.json").write_text("{"), "unusable"),
        (lambda bundle: (bundle / "manifest.json").write_text('{"format": "another"}'), "not of the format"),
    ],
)
def test_what_is_no_bundle_is_unusable(signed: Proving, spoil: Callable[[Path], object], why: str) -> None:
    bundle = signed.bundle()
    spoil(bundle)
    verdict = signed.verify(bundle)
    assert verdict.code == 2
    assert why in verdict.said


@pytest.mark.parametrize("key", ["", "activities/acme", "activities/acme+00000000+AAAA"])
def test_without_a_key_nothing_is_verified(signed: Proving, key: str) -> None:
    assert verify(signed.bundle(), "--key", key).code == 2
    assert verify(signed.bundle()).code == 2


def test_the_verifier_is_one_short_file_of_the_standard_library(signed: Proving) -> None:
    source = (signed.bundle() / "verify.py").read_text()
    assert source.count("\n") < 400
    imported = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names


def test_what_is_not_signed_is_not_exported(run: Run, signed: Proving) -> None:
    done = run("export", "--organization", "acme", "--to", "31", "--out", signed.directory / "bundle")
    assert done.returncode == 1
    assert "only 30 events are signed" in done.stderr
    assert not (signed.directory / "bundle").exists()
    assert run("export", "--organization", "acme", "--from", "9", "--to", "8", "--out", "x").returncode == 1
