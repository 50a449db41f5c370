"""What a batch seals: whose each personal field is, and with which key. Knows the keys as they are under the lock.

It decides upon what it knows; whom it does not know yet is `missing`, to be looked up before deciding again.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.command import Command
from application.event_store.keyring import RING, DataKey, NewKey
from application.event_store.mapper import Event, State, encode
from application.event_store.persons import whose
from application.event_store.sealing import Personal, sealed
from domain.refusals import OfAnErasedPerson

MOST = 8192


class KeysInUse:
    """The keys one worker seals with, by organisation and person; None: closed. Good until a later erasure."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[str, UUID], DataKey | None] = OrderedDict()
        self._as_of: dict[str, int] = {}

    def at(self, organization_id: str, erasures: int) -> bool:
        """Note how many facts of erasures there are; whether there were others before, so that all is forgotten."""
        if self._as_of.setdefault(organization_id, erasures) == erasures:
            return False
        self.forget(organization_id)
        self._as_of[organization_id] = erasures
        return True

    def forget(self, organization_id: str) -> None:
        for place in [place for place in self._keys if place[0] == organization_id]:
            del self._keys[place]
        self._as_of.pop(organization_id, None)

    def forget_all(self) -> None:
        """It may be another database now."""
        self._keys.clear()
        self._as_of.clear()

    def knows(self, organization_id: str, subject: UUID) -> bool:
        return (organization_id, subject) in self._keys

    def get(self, organization_id: str, subject: UUID) -> DataKey | None:
        return self._keys[organization_id, subject]

    def keep(self, organization_id: str, subject: UUID, key: DataKey | None) -> None:
        self._keys[organization_id, subject] = key
        while len(self._keys) > MOST:
            self._keys.popitem(last=False)


@dataclass(slots=True)
class Sealer:
    """For one attempt at a batch of an organisation."""

    organization_id: str
    in_use: KeysInUse
    missing: set[UUID] = field(default_factory=set)
    _keyless: set[UUID] = field(default_factory=set)
    made: dict[UUID, NewKey] = field(default_factory=dict)
    _looked_up: dict[UUID, DataKey | None] = field(default_factory=dict)

    def stored(self, fact: Event, after: State, stream: UUID) -> bytes:
        """The bytes to store. Raises OfAnErasedPerson."""
        personal = self.personal(fact, after)
        return encode(fact) if personal is None else sealed(fact, personal, stream, after.version)

    def personal(self, fact: Event, after: State) -> Personal | None:
        """What is to be sealed of a fact; None where nothing is. Raises OfAnErasedPerson."""
        fields, subject, people = whose(self.organization_id, fact, after)
        if not fields and not people:
            return None
        key = self._key(subject, fields[0]) if fields and subject is not None else None
        named = {place: self._key(who, "participants") for place, who in people}
        if self.missing:
            return None
        return Personal(fields, key, {place: one for place, one in named.items() if one is not None})

    def _key(self, subject: UUID, field_name: str) -> DataKey | None:
        """None where it has yet to be looked up."""
        if (new := self.made.get(subject)) is not None:
            return new.key
        if subject in self._looked_up:
            key = self._looked_up[subject]
        elif self.in_use.knows(self.organization_id, subject):
            key = self.in_use.get(self.organization_id, subject)
        elif subject in self._keyless:
            self.made[subject] = new = RING.make(self.organization_id, subject)
            return new.key
        else:
            self.missing.add(subject)
            return None
        if key is None:
            raise OfAnErasedPerson(field_name)
        return key

    def unknown(self, commands: Iterable[Command], states: Mapping[UUID, State | None]) -> list[UUID]:
        """The people these commands will likely speak of whose keys have to be looked up."""
        people = {person for command in commands for person in command.people(states)}
        return [person for person in people if not self._knows(person)]

    def _knows(self, subject: UUID) -> bool:
        known = subject in self._keyless or subject in self._looked_up
        return known or self.in_use.knows(self.organization_id, subject)

    def found(self, asked: Iterable[UUID], rows: Iterable[tuple[UUID, UUID, bytes | None, bool]]) -> None:
        """What was looked up: subject, key_id, wrapped_key, closed. Whoever of those asked for has none may get one."""
        self._keyless.update(asked)
        for subject, key_id, wrapped, closed in rows:
            self._keyless.discard(subject)
            self._looked_up[subject] = None if closed else RING.unwrapped(self.organization_id, key_id, wrapped)

    def used(self) -> Sequence[NewKey]:
        """The keys that were made, to be stored with the facts."""
        return list(self.made.values())

    def committed(self) -> None:
        """What was looked up and made holds from now on."""
        for subject, key in self._looked_up.items():
            self.in_use.keep(self.organization_id, subject, key)
        for new in self.made.values():
            self.in_use.keep(self.organization_id, new.subject, new.key)
            RING.keep([new.key])
