"""Leaves, receipts and checkpoints: what they are made of, and what they are not taken for."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.openapi.examples import audit_proofs as examples
from application.proof.leaf import Leaves, instant
from application.proof.merkle import consistent, includes
from application.proof.notes import Checkpoint, NotACheckpoint, VerifierKey, organization_of, origin_of
from application.proof.receipts import Promise, receipt_of

AT = datetime(2025, 12, 20, 14, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "position": 7,
    "stream": UUID("0194f3c5-2c1b-7000-8000-0123456789ab"),
    "version": 2,
    "topic": "activity.completed.v1",
    "recorded_at": instant(AT),
    "metadata": {"actor": "u-1", "command_id": "01KCPX5T7V9W1X3Y5Z7A9B1C3D"},
    "state": b'{"outcome":"Done"}',
}
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def leaf(organization: str = "acme", **changed: Any) -> bytes:
    return Leaves(organization).of(**{**EVENT, **changed})


def test_a_leaf_is_the_digest_of_length_prefixed_fields_word_for_word() -> None:
    fields = (
        "activities/leaf/v1", "acme", "7", "0194f3c5-2c1b-7000-8000-0123456789ab", "2", "activity.completed.v1",
        "2025-12-20T14:00:00.000000Z", "2", "actor", "u-1", "command_id", "01KCPX5T7V9W1X3Y5Z7A9B1C3D",
        '{"outcome":"Done"}',
    )  # fmt: skip
    said = b"".join(len(field).to_bytes(4, "big") + field.encode() for field in fields)
    assert leaf() == sha256(b"\0" + said).digest()


@pytest.mark.parametrize(
    "changed",
    [
        {"organization": "acmf"},
        {"position": 8},
        {"stream": UUID(int=1)},
        {"version": 3},
        {"topic": "activity.completed.v2"},
        {"recorded_at": instant(AT + timedelta(microseconds=1))},
        {"metadata": {**EVENT["metadata"], "actor": "u-2"}},
        {"metadata": {**EVENT["metadata"], "more": ""}},
        {"metadata": {"actor": "u-1"}},
        {"metadata": {"actoru": "-1", "command_id": EVENT["metadata"]["command_id"]}},
        {"metadata": {**EVENT["metadata"], "actor": 1}},
        {"state": b'{"outcome":"done"}'},
        {"state": b""},
    ],
    ids=str,
)
def test_whatever_changes_in_an_event_changes_its_leaf(changed: dict[str, Any]) -> None:
    assert leaf(**changed) != leaf()


def test_a_number_in_the_metadata_is_not_the_text_of_it() -> None:
    assert leaf(metadata={"a": 1}) != leaf(metadata={"a": "1"})
    assert leaf(metadata={"a": {"b": "c"}}) != leaf(metadata={"a": '{"b":"c"}'})


def test_the_order_of_the_metadata_and_the_zone_of_the_instant_say_nothing() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    turned = dict(reversed(EVENT["metadata"].items()))
    assert leaf(metadata=turned, recorded_at=instant(elsewhere)) == leaf()


def test_instants_have_the_same_length_in_every_year() -> None:
    assert instant(datetime(1, 1, 1, tzinfo=UTC)) == b"0001-01-01T00:00:00.000000Z"
    assert instant(datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)) == b"9999-12-31T23:59:59.999999Z"


def test_a_receipt_of_one_event_is_its_leaf_and_of_many_their_root() -> None:
    leaves = [leaf(position=position) for position in (7, 8, 9)]
    assert receipt_of(7, leaves[:1]) == f"7:{leaves[0].hex()}"
    promise = Promise.read(receipt_of(7, leaves))
    assert (promise.first, promise.last) == (7, 9)
    assert promise.kept(leaves)
    assert not promise.kept(leaves[:2])
    assert not promise.kept([leaves[1], leaves[0], leaves[2]])


@pytest.mark.parametrize("text", ["", "7", "7:ab", f"0:{'a' * 64}", f"7-:{'a' * 64}", f"7:{'A' * 64}"])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a receipt is"):
        Promise.read(text)


def signed(origin: str = "activities/acme", size: int = 3, root: bytes = b"r" * 32) -> str:
    return Checkpoint(origin, size, root).signed(KEY)


def verifier(origin: str = "activities/acme") -> VerifierKey:
    return VerifierKey(origin, KEY.public_key().public_bytes_raw())


def test_a_checkpoint_is_a_signed_note_and_reads_as_what_was_signed() -> None:
    note = signed()
    lines = note.split("\n")
    assert lines[:3] == ["activities/acme", "3", b64encode(b"r" * 32).decode()]
    assert lines[3] == "" and lines[4].startswith("\N{EM DASH} activities/acme ")
    assert b64decode(lines[4].rpartition(" ")[2])[:4] == verifier().id
    assert Checkpoint.read(note, verifier()) == Checkpoint("activities/acme", 3, b"r" * 32)


def test_other_signatures_on_a_note_are_passed_over() -> None:
    witnessed = f"{signed()}\N{EM DASH} witness.example {b64encode(b'w' * 68).decode()}\n"
    assert Checkpoint.read(witnessed, verifier()).size == 3


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (signed("activities/bolt"), "not of activities/acme"),
        (signed().replace("\n3\n", "\n4\n"), "signature is not right"),
        (signed().replace("\N{EM DASH}", "-"), "not signed by this key"),
        (Checkpoint("activities/acme", 3, b"r" * 32).signed(Ed25519PrivateKey.generate()), "not signed by this key"),
        (signed(root=b"short"), "cannot be read"),
        ("activities/acme\n3\n", "no signed checkpoint"),
        ("", "no signed checkpoint"),
    ],
)
def test_what_is_no_checkpoint_of_that_origin_and_key_is_refused(note: str, why: str) -> None:
    with pytest.raises(NotACheckpoint, match=why):
        Checkpoint.read(note, verifier())


@pytest.mark.parametrize("organization", ["acme", "a b/c+d", "søren & co", "日本"])
def test_an_origin_names_the_organisation_without_space_plus_or_slash(organization: str) -> None:
    origin = origin_of("activities", organization)
    assert origin.count("/") == 1 and not set(origin) & set(" +\n")
    assert organization_of(origin) == organization


def test_a_key_says_whom_it_signs_for() -> None:
    text = str(verifier())
    name, key_id, key = text.split("+", 2)
    assert (name, key_id) == ("activities/acme", verifier().id.hex())
    assert b64decode(key) == b"\x01" + verifier().public
    assert verifier().id != verifier("activities/bolt").id
    assert verifier().fingerprint == verifier("activities/bolt").fingerprint


def test_the_proofs_shown_as_examples_hold() -> None:
    told = examples.KEY
    key = VerifierKey(str(told["origin"]), bytes.fromhex(str(told["public_key"])))
    assert (str(key), key.fingerprint) == (told["verifier_key"], told["fingerprint"])
    signed = Checkpoint.read(examples.NOTE, key)
    assert (signed.size, signed.root.hex()) == (3, examples.ROOT)
    inclusion, growth = dict[str, Any](examples.INCLUSION), dict[str, Any](examples.CONSISTENCY)
    assert includes(1, bytes.fromhex(inclusion["leaf"]), 3, [*map(bytes.fromhex, inclusion["hashes"])], signed.root)
    before = bytes.fromhex(growth["from_root"])
    assert consistent(2, 3, before, signed.root, [*map(bytes.fromhex, growth["hashes"])])
