"""The keys that the past is sealed with: each person's own; of one who was erased, a key that nobody has."""

from collections.abc import Iterable
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection

from application.event_store.keyring import RING, DataKey, NewKey

_OF_PEOPLE = """
select subject, erasure_id, key_id, wrapped_key, destroyed_at is not null
  from data_keys
 where organization_id = %s and subject = any(%s)
"""
_OF_ERASURES = """
select subject, erasure_id, key_id, wrapped_key, destroyed_at is not null
  from data_keys
 where organization_id = %s and erasure_id = any(%s)
"""
_KEEP = "select keep_data_keys(%s, %s, %s, %s, %s)"
_GIVE = """
update data_keys set wrapped_key = %s
 where organization_id = %s and key_id = %s and wrapped_key is null and destroyed_at is null
"""


class KeysOfThePast:
    """For one stretch of an organisation's log, under its lock."""

    def __init__(self, connection: Connection[Any], organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._of_people: dict[UUID, DataKey] = {}
        self._of_erasures: dict[str, DataKey] = {}
        self._made: list[NewKey] = []
        self._given: list[NewKey] = []
        self.by_id: dict[str, DataKey] = {}

    def look_up(self, people: Iterable[UUID], erasures: Iterable[str]) -> None:
        for subject, erasure_id, key in self._ask(_OF_PEOPLE, list(people)) + self._ask(_OF_ERASURES, list(erasures)):
            if subject is not None:
                self._of_people[subject] = key
            if erasure_id is not None:
                self._of_erasures[erasure_id] = key

    def of(self, person: UUID, erasure_id: str | None) -> DataKey:
        """The person's key; that of the erasure, where one blanked what they are spoken of with."""
        if erasure_id is not None and erasure_id in self._of_erasures:
            return self._of_erasures[erasure_id]
        if person not in self._of_people:
            new = RING.make(self._organization_id, person)
            self._made.append(new)
            self._of_people[person] = self.by_id[new.key.id] = new.key
        return self._of_people[person]

    def keep(self) -> None:
        """Keep those that were made, in the transaction of the facts they seal."""
        ids, subjects = [UUID(new.key.id) for new in self._made], [new.subject for new in self._made]
        wrapped = [new.wrapped for new in self._made]
        self._connection.execute(_KEEP, (self._organization_id, RING.fingerprint, ids, subjects, wrapped))
        for new in self._given:
            self._connection.execute(_GIVE, (new.wrapped, self._organization_id, UUID(new.key.id)))

    def _ask(self, sql: LiteralString, wanted: list[Any]) -> list[tuple[UUID | None, str | None, DataKey]]:
        if not wanted:
            return []
        rows = self._connection.execute(sql, (self._organization_id, wanted)).fetchall()
        return [(row[0], row[1], self._known(*row)) for row in rows]

    def _known(
        self, subject: UUID | None, erasure_id: str | None, key_id: UUID, wrapped: bytes | None, destroyed: bool
    ) -> DataKey:
        if key_id.hex not in self.by_id:
            if destroyed:
                key = RING.thrown_away(self._organization_id, key_id)
            elif wrapped is None:  # closed before there was anything to seal: the erasure under way will destroy it
                assert subject is not None  # only what is destroyed forgets whose it was
                self._given.append(new := RING.make(self._organization_id, subject, key_id))
                key = new.key
            else:
                key = RING.unwrapped(self._organization_id, key_id, wrapped)
            self.by_id[key_id.hex] = key
        return self.by_id[key_id.hex]
