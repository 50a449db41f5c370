"""The keys of people: derived and bound for ever as they were once, learned from the database, and soon forgotten."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from application.event_store import keyring
from application.event_store.keyring import (
    RELEARN,
    RING,
    DataKey,
    KeyRing,
    NewKey,
    NotLearned,
    WrongMasterKey,
    named,
    sealed_otherwise,
)
from application.event_store.mapper import EVENTS
from application.event_store.sealing import Personal, opened, sealed
from application.settings import Settings

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data" / "golden_sealed.json").read_text(encoding="utf-8")
)
"""What the first release that sealed has stored under a master key, and what its facts say."""
ACME = GOLDEN["organization_id"]

each_fact = pytest.mark.parametrize("stored", GOLDEN["facts"], ids=lambda stored: stored["name"])


@pytest.fixture
def ring() -> KeyRing:
    """It has learned the keys of the corpus."""
    ring = KeyRing(lambda: str(GOLDEN["master_key"]))
    ring.learned((ACME, UUID(key["key_id"]), bytes.fromhex(key["wrapped_key"])) for key in GOLDEN["data_keys"])
    return ring


class TestForEver:
    @each_fact
    def test_what_was_sealed_opens(self, ring: KeyRing, stored: dict[str, Any]) -> None:
        place = f"{UUID(stored['stream']).hex}.{stored['version']}"
        assert json.loads(opened(stored["state"].encode(), ring.key, place=place)) == stored["plain"]

    @each_fact
    def test_what_is_sealed_today_differs_in_the_ciphers_only(self, ring: KeyRing, stored: dict[str, Any]) -> None:
        fact, boxes = EVENTS[stored["name"]].model_validate(stored["plain"]), json.loads(stored["state"])["sealed"]
        key = ring.key(boxes[0]["key"])
        people = {box["person"]: ring.key(box["key"]) for box in boxes if "person" in box}
        personal = Personal(boxes[0]["fields"].split(), key, people)
        state = sealed(fact, personal, UUID(stored["stream"]), stored["version"])
        assert _but_for_ciphers(state) == _but_for_ciphers(stored["state"].encode())

    def test_a_master_key_is_recognised_and_stands_for_the_same_outsiders(self, ring: KeyRing) -> None:
        assert ring.fingerprint == GOLDEN["fingerprint"]
        assert ring.outsider(ACME, GOLDEN["outsider"]["email"]) == UUID(GOLDEN["outsider"]["person"])


def _but_for_ciphers(state: bytes) -> tuple[bytes, list[int]]:
    boxes = [box["box"] for box in json.loads(state)["sealed"]]
    for box in boxes:
        state = state.replace(box.encode(), b"")
    return state, [len(box) for box in boxes]


class TestTheRing:
    def test_forgets_no_key_but_asks_for_it_again_after_a_while(
        self, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another process may have destroyed it meanwhile; what is being opened goes on."""
        new, now = ring.make(ACME, uuid4()), time.monotonic()
        ring.keep([new.key])
        assert ring.unknown([_sealed_with(new)]) == []
        monkeypatch.setattr(time, "monotonic", lambda: now + RELEARN + 5)
        assert ring.unknown([_sealed_with(new)]) == [new.key.id]
        assert ring.key(new.key.id) is new.key
        ring.learned([_row(new)])
        assert ring.unknown([_sealed_with(new)]) == []

    def test_asks_for_an_organizations_keys_again_when_told_to(self, ring: KeyRing) -> None:
        ours, theirs = ring.make(ACME, uuid4()), ring.make("bolt", uuid4())
        ring.keep([ours.key, theirs.key])
        ring.forget(ACME)
        assert ring.unknown([_sealed_with(ours), _sealed_with(theirs)]) == [ours.key.id]
        assert ring.key(ours.key.id) is ours.key

    def test_knows_a_destroyed_key_for_what_it_is(self, ring: KeyRing) -> None:
        key_id = uuid4()
        ring.learned([(ACME, key_id, None)])
        assert ring.key(key_id.hex) == DataKey(ACME, key_id.hex, None)
        with pytest.raises(NotLearned, match="nobody's"):
            ring.key("nobody's")

    def test_a_new_key_is_its_persons_and_differs_from_any_other(self, ring: KeyRing) -> None:
        subject = uuid4()
        one, other = ring.make(ACME, subject), ring.make(ACME, subject)
        assert (one.subject, one.key.organization_id) == (subject, ACME)
        assert one.key.id != other.key.id
        assert one.wrapped[:12] != other.wrapped[:12], "no nonce is used twice under one key"
        assert ring.unknown([_sealed_with(one)]) == [one.key.id], "it is learned once it is recorded"

    def test_another_master_key_is_named_by_the_setting_it_comes_from(self, ring: KeyRing) -> None:
        new = KeyRing(lambda: "quite another master key").make(ACME, uuid4())
        with pytest.raises(WrongMasterKey, match=r"under another master key than ACTIVITIES_ENCRYPTION_KEY$"):
            ring.learned([_row(new)])

    def test_lets_go_of_the_keys_wanted_longest_ago(self, ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keyring, "MOST", 2)
        first, second, third = (ring.make(ACME, uuid4()) for _ in range(3))
        ring.keep([first.key, second.key])
        ring.unknown([_sealed_with(first)])
        ring.keep([third.key])
        assert [_knows(ring, new) for new in (first, second, third)] == [True, False, True]

    def test_asks_its_owner_for_the_master_key_once_and_not_before_it_is_needed(self) -> None:
        asked: list[str] = []
        ring = KeyRing(lambda: asked.append("again") or "a master key")  # type: ignore[func-returns-value]
        assert asked == []
        assert ring.fingerprint == ring.fingerprint
        assert asked == ["again"]


def test_the_keys_of_stored_facts_are_those_of_their_boxes_and_of_nothing_else_in_them() -> None:
    one, other = uuid4().hex, uuid4().hex
    box = b'{"key":"%s","of":"s.1"}'
    sealed_twice = b'{"sealed":[' + box % one.encode() + b"," + box % other.encode() + b'],"at":1,"tags":["a]"]}'
    said_in_a_text = b'{"at":1,"custom_fields":{"key":"%s"}}' % one.encode()
    said_beside = (
        b'{"sealed":[' + box % one.encode() + b'],"custom_fields":{"key":"%s"},"tags":["a]"]}' % other.encode()
    )
    assert named([sealed_twice]) == {one, other}
    assert named([said_in_a_text]) == set()
    assert named([said_beside, said_in_a_text]) == {one}


def _sealed_with(new: NewKey) -> bytes:
    return b'{"sealed":[{"key":"%s"}],"at":1}' % new.key.id.encode()


def _row(new: NewKey) -> tuple[str, UUID, bytes | None]:
    return new.key.organization_id, UUID(new.key.id), new.wrapped


def _knows(ring: KeyRing, new: NewKey) -> bool:
    try:
        return ring.key(new.key.id) is new.key
    except NotLearned:
        return False


class TestTheProcesssRing:
    @pytest.fixture(autouse=True)
    def as_it_was(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(keyring, "_settings", None)
        monkeypatch.setattr(RING, "_master", None)
        yield
        RING.forget(ACME)

    def test_takes_its_master_key_from_the_environment_unless_settings_say_another(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert RING.fingerprint == GOLDEN["fingerprint"]
        monkeypatch.setattr(RING, "_master", None)
        keyring.use(Settings(encryption_key="quite another master key"))
        assert RING.fingerprint == KeyRing(lambda: "quite another master key").fingerprint != GOLDEN["fingerprint"]

    def test_knows_a_database_that_was_sealed_under_another_one(self, database: str, empty_database: str) -> None:
        assert not sealed_otherwise(empty_database), "nothing was ever done to it"
        assert not sealed_otherwise(database), "nothing was sealed yet"
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute("insert into activities.master_key (fingerprint) values (%s)", (GOLDEN["fingerprint"],))
            assert not sealed_otherwise(database)
            owner.execute("update activities.master_key set fingerprint = 'of another one'")
            assert sealed_otherwise(database)
