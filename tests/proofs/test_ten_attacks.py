"""Ten ways a superuser of the database may try to change the past. Each is found, with a reason.

Scrub and verifier look at every row; the signer sees what its own memory, outside the database, contradicts.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from proving import ACME, Proving

from api.serving.errors import CannotServe

AT_17 = "organization_id = 'acme' and position = 17"
FREE = "alter table events drop constraint if exists events_organization_id_position_key"


def found(proving: Proving, capsys: Any, position: int, scrubbed: str, verified: str) -> None:
    """Both who look at every row name the event and the reason."""
    verdict = proving.scrub(capsys)
    assert verdict.code == 1
    assert f"acme: event {position} {scrubbed}" in verdict.said
    verdict = proving.verify(proving.bundle())
    assert verdict.code == 1, verdict.said
    assert f"TAMPERED event {position}: {verified}" in verdict.said


def test_untouched_everything_verifies(signed: Proving, capsys: Any) -> None:
    assert signed.scrub(capsys).code == 0
    verdict = signed.verify(signed.bundle())
    assert verdict.code == 0, verdict.said
    assert "events 1 to 30 of activities/acme are what was signed (30 events)" in verdict.said
    assert signed.alarm() is None


def test_1_one_byte_of_the_state_is_flipped(signed: Proving, capsys: Any) -> None:
    signed.tamper(f"update events set state = set_byte(state, 9, get_byte(state, 9) # 1) where {AT_17}")
    found(signed, capsys, 17, "is not what it was", "it is not what it was")
    signed.sign()  # a fresh signer goes over the old rows again, too
    assert signed.alarm() == (17, "is not what it was when the tree took it in")


def test_2_the_actor_is_edited(signed: Proving, capsys: Any) -> None:
    signed.tamper(f"""update events set metadata = metadata || '{{"actor": "u-2"}}' where {AT_17}""")
    found(signed, capsys, 17, "is not what it was", "it is not what it was")


def test_3_the_last_event_is_deleted(signed: Proving, capsys: Any) -> None:
    signer = signed.signer()
    signed.sign(signer)
    signed.tamper(
        "delete from events where organization_id = 'acme' and position = 30",
        "update heads set position = 29 where organization_id = 'acme'",
    )
    signed.sign(signer)
    assert signed.alarm() == (30, "is gone: the tree has 30, the log 29")
    # the bundle goes on record itself, in the place of the one that is gone
    found(signed, capsys, 30, "is missing", "it is not what it was when the tree took it in")


def test_4_a_middle_one_is_deleted(signed: Proving, capsys: Any) -> None:
    signed.tamper(f"delete from events where {AT_17}")
    found(signed, capsys, 17, "is missing", "it is missing or not in its place: event 18 is there")


def test_4_a_middle_one_is_deleted_and_the_gap_closed(signed: Proving, capsys: Any) -> None:
    signed.tamper(
        f"delete from events where {AT_17}",
        FREE,
        "update events set position = position - 1 where organization_id = 'acme' and position > 17",
        "update heads set position = 29 where organization_id = 'acme'",
    )
    found(signed, capsys, 17, "is not what it was", "it is not what it was")


def test_5_two_rows_are_swapped(signed: Proving, capsys: Any) -> None:
    signed.tamper(
        FREE,
        "update events set position = 35 - position where organization_id = 'acme' and position in (17, 18)",
    )
    found(signed, capsys, 17, "is not what it was", "it is not what it was")


def test_6_a_backdated_one_is_put_between(signed: Proving, capsys: Any) -> None:
    signed.tamper(
        FREE,
        "update events set position = position + 1 where organization_id = 'acme' and position >= 17",
        "insert into events select organization_id, gen_random_uuid(), 1, topic, state, metadata, recorded_at, 17"
        " from events where organization_id = 'acme' and position = 16",
        "update heads set position = 31 where organization_id = 'acme'",
    )
    found(signed, capsys, 17, "is not what it was", "it is not what it was")


def test_6_a_backdated_one_at_the_end_was_recorded_before_the_one_before_it(signed: Proving, capsys: Any) -> None:
    signed.tamper(
        "insert into events select organization_id, gen_random_uuid(), 1, topic, state, metadata,"
        " recorded_at - interval '1 day', 31 from events where organization_id = 'acme' and position = 30",
        "update heads set position = 31 where organization_id = 'acme'",
    )
    signed.sign()
    assert signed.alarm() == (31, "was recorded before the one before it")
    assert signed.signed() == 30
    assert "acme: event 31 was recorded before" in signed.scrub(capsys).said


def rebuild_the_tree(proving: Proving) -> None:
    """As the projector would, over what is there now."""
    proving.tamper(
        "delete from audit_tiles where organization_id = 'acme'",
        "update cursors set position = 0 where organization_id = 'acme' and read_model = 'audit_tree'",
    )
    proving.grow()


def test_7_the_whole_tree_is_rebuilt_after_an_edit(signed: Proving, capsys: Any) -> None:
    signed.tamper(f"update events set state = state || ' ' where {AT_17}")
    rebuild_the_tree(signed)
    found(
        signed,
        capsys,
        1,
        "or one after it, up to 20, is not what was signed",
        "it or one after it, up to 20, is not what was signed",
    )
    signed.record(1)
    signed.sign()
    assert signed.alarm() == (1, "or one after it, up to 20, is not what was signed")
    assert signed.signed() == 30, "nothing is signed upon it"


def test_7_and_the_checkpoints_are_thrown_away(signed: Proving, capsys: Any) -> None:
    kept = signed.checkpoint()
    signed.tamper(f"update events set state = state || ' ' where {AT_17}", "delete from audit_checkpoints")
    rebuild_the_tree(signed)
    assert "up to 30, is not what was signed" in signed.scrub(capsys).said
    with pytest.raises(CannotServe, match="only 0 events are signed"):
        signed.bundle(last=40)
    signed.sign()
    assert signed.alarm() == (1, "or one after it, up to 30, is not what was signed")

    signed.tamper(
        "insert into audit_checkpoints (organization_id, size, root, note)"
        f" values ('acme', 30, '', '{kept.read_text()}')"
    )  # the old signature over the new past
    verdict = signed.verify(signed.bundle())
    assert verdict.code == 1
    assert "TAMPERED event 1: it or one after it, up to 30, is not what was signed" in verdict.said


def test_8_an_older_backup_is_put_back(proving: Proving, capsys: Any) -> None:
    proving.record(20)
    proving.sign()
    with proving.backup() as backup:
        proving.record(10)
        proving.sign()
        kept = proving.checkpoint()

        backup.sign()
        assert backup.alarm() == (21, "is gone: 30 were signed, the tree has 20")
        assert "acme: event 21 is gone: 30 were signed" in backup.scrub(capsys).said
        verdict = backup.verify(backup.bundle(), "--known", str(kept))
        assert verdict.code == 1
        assert "TAMPERED event 21: the checkpoint you hold has 30 events, this one 20: rolled back" in verdict.said

        backup.record(15)  # and life goes on over it, as if nothing had been
        backup.sign()
        assert backup.alarm() == (21, "or one after it, up to 30, is not what was signed")
        assert backup.signed() == 20


def test_9_an_old_checkpoint_is_shown_again(signed: Proving) -> None:
    kept = signed.checkpoint()
    old = signed.bundle(last=20)
    note = signed.rows("select note from audit_checkpoints where size = 20")[0][0]
    (old / "checkpoint.txt").write_text(note)
    assert signed.verify(old).code in (1, 2), "hashes after the old checkpoint do not lead to it"

    signed.tamper("delete from audit_checkpoints where size = 30", "delete from events where position > 20")
    replayed = signed.bundle()
    assert signed.verify(replayed).code == 0, "it was signed once: only what the auditor holds tells"
    verdict = signed.verify(replayed, "--known", str(kept))
    assert verdict.code == 1
    assert "TAMPERED event 21: the checkpoint you hold has 30 events, this one 20" in verdict.said


def test_10_the_bundle_of_another_organisation_is_presented(signed: Proving) -> None:
    signed.record(30, "bolt")
    signed.sign()
    theirs = signed.bundle("bolt")
    verdict = signed.verify(theirs)
    assert verdict.code == 1
    assert "TAMPERED event 1: the checkpoint is of activities/bolt, not of activities/acme" in verdict.said
    assert signed.verify(theirs, key=signed.key("bolt")).code == 0

    ours = signed.bundle()
    for name in ("events.ndjson", "leaves.bin", "manifest.json"):
        shutil.copy(theirs / name, ours / name)  # their events under our checkpoint
    verdict = signed.verify(ours)
    assert verdict.code == 1
    assert "is not what was signed" in verdict.said


@pytest.mark.parametrize(
    ("told", "instead", "reason"),
    [
        ('"version":1', '"version":2', "it is not what it was"),
        ('"version":1', '"version":1.0', "it cannot be read"),
        ('"actor":"u-1"', '"actor":"u-2","actor":"u-1"', "it cannot be read: a name is there twice"),
        ('"type":', '"comment":"I did it","type":', "it cannot be read: other fields"),
        ('"type":"activity.created.v1"', '"redacted":true,"type":"activity.created.v1"', "it cannot be read"),
        ('"recorded_at":"2', '"recorded_at":"1', "it was recorded before the one before it"),
        ('"recorded_at":"2', '"recorded_at":"3', "it is not what it was"),
        ("l-1", "l-2", "it is not what it was"),
        ("{", "{{", "it cannot be read"),
    ],
)
def test_what_is_edited_in_the_bundle_itself_is_found(signed: Proving, told: str, instead: str, reason: str) -> None:
    bundle = signed.bundle()
    file = bundle / "events.ndjson"
    lines = file.read_text().splitlines(keepends=True)
    assert told in lines[3]
    lines[3] = lines[3].replace(told, instead, 1)
    file.write_text("".join(lines))
    verdict = signed.verify(bundle)
    assert verdict.code == 1, verdict.said
    assert f"TAMPERED event 4: {reason}" in verdict.said


def test_an_edit_hidden_from_the_leaves_is_found_between_two_checkpoints(signed: Proving) -> None:
    """Whoever edits a bundle can make its leaves agree with it, but not what was signed."""
    bundle = signed.bundle()
    edited = Path(bundle / "events.ndjson").read_text().splitlines(keepends=True)
    edited[24] = edited[24].replace("l-1", "l-2", 1)
    leaves = bytearray((bundle / "leaves.bin").read_bytes())
    leaves[32 * 24 : 32 * 25] = leaf_of_line(edited[24])
    (bundle / "events.ndjson").write_text("".join(edited))
    (bundle / "leaves.bin").write_bytes(leaves)
    verdict = signed.verify(bundle)
    assert verdict.code == 1
    assert "TAMPERED event 21: it or one after it, up to 30, is not what was signed" in verdict.said


def leaf_of_line(line: str) -> bytes:
    import json
    from uuid import UUID

    from application.proof.leaf import Leaves

    told = json.loads(line)
    return Leaves(ACME).of(
        told["position"],
        UUID(told["stream"]),
        told["version"],
        told["type"],
        told["recorded_at"].encode(),
        told["metadata"],
        told["state"].encode(),
    )
