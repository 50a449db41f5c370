"""Streams as a decision sees them: the states of activities and records, by their ids."""

import time
from collections import ChainMap, OrderedDict
from collections.abc import Iterable, Mapping, MutableMapping
from uuid import UUID

from application.event_store.mapper import State, activity_key, record_key
from domain.activity.activity import Activity
from domain.api_key.api_key import ApiKey
from domain.record.record import Record
from domain.vocabulary import RecordKind, RelatedType


class Streams:
    """The states loaded for a batch, and those its own decisions have led to so far."""

    __slots__ = ("states",)

    def __init__(self, states: MutableMapping[UUID, State | None]) -> None:
        self.states = states

    def activity(self, activity_id: str) -> Activity | None:
        return self.activity_at(activity_key(activity_id))

    def activity_at(self, key: UUID | None) -> Activity | None:
        state = None if key is None else self.states.get(key)
        return state if isinstance(state, Activity) else None

    def record(self, kind: RecordKind | str, record_id: str | None) -> Record | None:
        return None if record_id is None else self.record_at(record_key(kind, record_id))

    def record_at(self, key: UUID | None) -> Record | None:
        state = None if key is None else self.states.get(key)
        return state if isinstance(state, Record) else None

    def api_key_at(self, key: UUID | None) -> ApiKey | None:
        state = None if key is None else self.states.get(key)
        return state if isinstance(state, ApiKey) else None

    def ahead(self) -> "Streams":
        """The same streams, to try decisions upon without touching these."""
        return Streams(ChainMap({}, self.states))


def keys_of_references(
    related_type: RelatedType | str | None,
    related_id: str | None,
    contact_id: str | None,
    *user_ids: str | None,
) -> set[UUID]:
    """The streams of the records an activity refers to."""
    keys = {record_key(RecordKind.USER, user) for user in user_ids if user is not None}
    if related_type is not None and related_id is not None:
        keys.add(record_key(related_type, related_id))
    if contact_id is not None:
        keys.add(record_key(RecordKind.CONTACT, contact_id))
    return keys


def keys_around(activity: Activity) -> set[UUID]:
    return keys_of_references(
        activity.activityable_type,
        activity.activityable_id,
        activity.contact_id,
        activity.assigned_user_id,
        activity.created_by,
    )


class StateCache:
    """The latest states this process has folded. Never trusted blindly: a load asks for what came after them."""

    def __init__(self, most: int = 8192) -> None:
        self._most = most
        self._states: OrderedDict[tuple[str, UUID], State] = OrderedDict()
        self._used: dict[str, float] = {}

    def forget_organization(self, organization_id: str) -> None:
        """Have an organisation's streams folded anew."""
        for place in [place for place in self._states if place[0] == organization_id]:
            del self._states[place]
        self._used.pop(organization_id, None)

    def forget_idle(self, seconds: float) -> list[str]:
        """Forget the organisations nobody asked of for so long; which they were."""
        old = time.monotonic() - seconds
        idle = [organization_id for organization_id, at in self._used.items() if at < old]
        for organization_id in idle:
            self.forget_organization(organization_id)
        return idle

    def known(self, organization_id: str, keys: Iterable[UUID]) -> dict[UUID, State | None]:
        return {key: self._states.get((organization_id, key)) for key in keys}

    def keep(self, organization_id: str, states: Mapping[UUID, State | None]) -> None:
        """Remember committed states. An older state never replaces a newer one."""
        self._used[organization_id] = time.monotonic()
        for key, state in states.items():
            place = (organization_id, key)
            kept = self._states.get(place)
            if state is not None and (kept is None or kept.version <= state.version):
                self._states[place] = state
                self._states.move_to_end(place)
        while len(self._states) > self._most:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Remember nothing: it may be another database now, in which some of it never happened."""
        self._states.clear()
        self._used.clear()
