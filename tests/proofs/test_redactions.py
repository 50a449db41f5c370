"""A redacted event has lost its content and kept its leaf: the tree stays, and nobody can hide behind it."""

import json
from typing import Any

import pytest
from proving import Proving

REDACT = """
insert into redactions (organization_id, position, leaf, reason)
select organization_id, 17, substr(hashes, 16 * 32 + 1, 32), 'asked for by the person'
  from audit_tiles where organization_id = 'acme' and level = 0 and index = 0
"""
BLANK = "update events set state = '' where organization_id = 'acme' and position = 17"


@pytest.fixture
def redacted(signed: Proving) -> Proving:
    signed.tamper(REDACT, BLANK)
    return signed


def test_a_redacted_event_is_listed_and_all_else_still_verifies(redacted: Proving, capsys: Any) -> None:
    verdict = redacted.scrub(capsys)
    assert (verdict.code, "1 redacted: 17" in verdict.said) == (0, True)
    bundle = redacted.bundle()
    verdict = redacted.verify(bundle)
    assert verdict.code == 0
    assert "redacted: 1 events without content: 17" in verdict.said
    line = (bundle / "events.ndjson").read_text().splitlines()[16]
    assert set(json.loads(line)) == {"position", "redacted", "leaf"}


def test_the_signer_goes_on(redacted: Proving) -> None:
    redacted.record(4)
    redacted.sign()
    assert redacted.alarm() is None
    assert redacted.signed() == 34


def test_a_redaction_that_keeps_other_content_is_a_lie(signed: Proving, capsys: Any) -> None:
    signed.tamper(REDACT, "update events set state = '{}' where organization_id = 'acme' and position = 17")
    assert "acme: event 17 is said to be redacted, and is not blank" in signed.scrub(capsys).said
    signed.sign()
    alarm = signed.alarm()
    assert alarm is not None and alarm[0] == 17


def test_a_redaction_with_another_leaf_does_not_fit_the_signed_tree(redacted: Proving, capsys: Any) -> None:
    redacted.tamper("update redactions set leaf = sha256('x')")
    assert "acme: event 17 is not what it was" in redacted.scrub(capsys).said
    verdict = redacted.verify(redacted.bundle())
    assert verdict.code == 1
    assert "TAMPERED event 17" in verdict.said


def test_content_blanked_without_a_redaction_is_found(signed: Proving, capsys: Any) -> None:
    signed.tamper(BLANK)
    assert "acme: event 17 is not what it was" in signed.scrub(capsys).said


def test_a_tree_grown_anew_over_a_redaction_is_the_same_tree(redacted: Proving) -> None:
    before = redacted.rows("select level, index, hashes from audit_tiles order by 1, 2")
    redacted.tamper("delete from audit_tiles", "update cursors set position = 0 where read_model = 'audit_tree'")
    redacted.grow()
    assert redacted.rows("select level, index, hashes from audit_tiles order by 1, 2") == before
