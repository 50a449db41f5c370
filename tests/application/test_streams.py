"""What a decision sees of the streams loaded for it, and what a process remembers of them between batches."""

import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from application.event_store.mapper import State, activity_key, advance, record_key
from application.streams import StateCache, Streams, keys_around, keys_of_references
from domain.activity.activity import Activity
from domain.activity.events import Created, Started
from domain.api_key.events import ApiKeyCreated
from domain.record.events import RecordCreated
from domain.vocabulary import ActivityType, RecordKind, RelatedType

ACME, BOLT = "acme", "bolt"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CALL = "01JFJ0000000000000000000AA"
CREATED = Created(
    at=NOON,
    id=CALL,
    created_by="u-1",
    type=ActivityType.CALL,
    subject="Call Pat",
    activityable_type=RelatedType.OPPORTUNITY,
    activityable_id="o-1",
    contact_id="pat",
    assigned_user_id="u-2",
)
PAT = RecordCreated(at=NOON, id="pat", kind=RecordKind.CONTACT, fields={"name": "Pat"})
KEY = ApiKeyCreated(at=NOON, id=CALL, label="a key", scopes=("activities:read",), secret_hmac="h", created_by="u-1")


def activity(version: int = 1) -> Activity:
    state: State = advance(None, CREATED, 1)
    for _ in range(version - 1):
        state = advance(state, Started(at=NOON), 2)
    assert isinstance(state, Activity)
    return state


class TestStreams:
    def test_are_found_by_what_they_are_of_and_by_nothing_else(self) -> None:
        call, pat, key = activity(), advance(None, PAT, 1), advance(None, KEY, 1)
        calls, pats, keys = activity_key(CALL), record_key("contact", "pat"), uuid4()
        streams = Streams({calls: call, pats: pat, keys: key})

        assert streams.activity(CALL) is streams.activity_at(calls) is call
        assert streams.record("contact", "pat") is streams.record_at(pats) is pat
        assert streams.api_key_at(keys) is key
        assert [streams.activity_at(pats), streams.record_at(keys), streams.api_key_at(calls)] == [None] * 3
        assert [streams.activity_at(None), streams.record_at(None), streams.api_key_at(None)] == [None] * 3
        assert streams.record("contact", None) is None
        assert streams.record("contact", "kim") is None
        assert streams.record("user", "pat") is None

    def test_can_be_tried_upon_without_being_touched(self) -> None:
        key = activity_key(CALL)
        streams = Streams({key: activity()})
        ahead = streams.ahead()
        assert ahead.activity(CALL) == activity()
        ahead.states[key] = None
        assert ahead.activity(CALL) is None
        assert streams.activity(CALL) == activity()


class TestReferences:
    def test_are_the_record_it_is_about_the_contact_and_the_users(self) -> None:
        opportunity, pat = record_key("opportunity", "o-1"), record_key("contact", "pat")
        ann, bob = record_key("user", "u-1"), record_key("user", "u-2")
        assert keys_of_references("opportunity", "o-1", "pat", "u-1", "u-2") == {opportunity, pat, ann, bob}
        assert keys_of_references("opportunity", "o-1", None, None, "u-2") == {opportunity, bob}
        assert keys_of_references(None, "o-1", "pat") == keys_of_references("opportunity", None, "pat") == {pat}
        assert keys_around(activity()) == {opportunity, pat, ann, bob}


class TestTheCache:
    def test_knows_the_latest_state_of_each_organisations_streams(self) -> None:
        cache, one, other = StateCache(), uuid4(), uuid4()
        cache.keep(ACME, {one: activity(1), other: None})
        cache.keep(BOLT, {one: activity(3)})
        assert cache.known(ACME, [one, other]) == {one: activity(1), other: None}
        assert cache.known(BOLT, [one]) == {one: activity(3)}
        cache.keep(ACME, {one: activity(2)})
        cache.keep(ACME, {one: activity(1)})
        assert versions(cache, ACME, one) == [2], "an older state never replaces a newer one"

    def test_takes_another_state_of_the_same_version_for_the_truth(self) -> None:
        cache, one, renamed = StateCache(), uuid4(), activity()._replace(subject="Renamed")
        cache.keep(ACME, {one: activity()})
        cache.keep(ACME, {one: renamed})
        assert cache.known(ACME, [one]) == {one: renamed}

    def test_remembers_so_many_and_lets_those_go_that_were_kept_longest_ago(self) -> None:
        cache, keys = StateCache(most=3), [uuid4() for _ in range(4)]
        for key in (*keys[:3], keys[0], keys[3]):
            cache.keep(ACME, {key: activity()})
        assert versions(cache, ACME, *keys) == [1, None, 1, 1]

    def test_forgets_an_organisation_when_told_to_and_no_other(self) -> None:
        cache, one = StateCache(), uuid4()
        cache.keep(ACME, {one: activity(), uuid4(): activity()})
        cache.keep(BOLT, {one: activity()})
        cache.forget_organization(ACME)
        cache.forget_organization("nobody")
        assert versions(cache, ACME, one) == [None]
        assert versions(cache, BOLT, one) == [1]
        assert cache.forget_idle(-1) == [BOLT]

    def test_forgets_the_organisations_nobody_asked_of_for_long_and_says_which(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache, one, now = StateCache(), uuid4(), 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        cache.keep(ACME, {one: activity()})
        now += 20
        cache.keep(BOLT, {one: activity()})
        assert cache.forget_idle(20) == []
        now += 1
        assert cache.forget_idle(20) == [ACME]
        assert (versions(cache, ACME, one), versions(cache, BOLT, one)) == ([None], [1])
        assert cache.forget_idle(20) == []

    def test_forgets_everything_when_it_may_be_another_database(self) -> None:
        cache, one = StateCache(), uuid4()
        cache.keep(ACME, {one: activity()})
        cache.forget()
        assert versions(cache, ACME, one) == [None]
        assert cache.forget_idle(-1) == []


def versions(cache: StateCache, organization_id: str, *keys: UUID) -> list[int | None]:
    known = cache.known(organization_id, keys)
    return [None if (state := known[key]) is None else state.version for key in keys]
