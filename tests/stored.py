"""The log as it is stored: what it says once opened, and what of it stands there in plain for anybody to read."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg

from application.event_store.keyring import RING, SEALED
from application.event_store.mapper import State, advance, decode
from application.event_store.persons import whose
from application.event_store.reading import learn

Place = tuple[str, int]
"""An organisation, and a position in its log."""

_ROWS = """
select organization_id, position, originator_id, originator_version, topic, state
  from events order by organization_id, position
"""


class StoredLog:
    """Every event of a database, as of when it was read."""

    def __init__(self, dsn: str) -> None:
        self.rows: dict[Place, tuple[UUID, int, str, bytes]] = {}
        self.facts: dict[Place, Any] = {}
        self.states: dict[tuple[str, UUID], State] = {}
        self.whose: dict[Place, Any] = {}
        with psycopg.connect(dsn, options="-c search_path=activities") as connection:
            for organization_id, position, key, version, topic, state in connection.execute(_ROWS).fetchall():
                self.rows[organization_id, position] = key, version, topic, state
            for organization_id in {place[0] for place in self.rows}:
                RING.forget(organization_id)
                learn(
                    connection, organization_id, (row[3] for one, row in self.rows.items() if one[0] == organization_id)
                )
        for place, (key, version, topic, state) in self.rows.items():
            self._fold(place, key, decode(topic, state, (key, version)))

    def _fold(self, place: Place, key: UUID, fact: Any) -> None:
        organization_id, position = place
        after = advance(self.states.get((organization_id, key)), fact, position)
        self.facts[place] = fact
        self.states[organization_id, key] = after
        self.whose[place] = whose(organization_id, fact, after)

    def said(self) -> dict[Place, tuple[UUID, str, dict[str, Any]]]:
        """What was recorded, wherever it is stored how: stream, name, fact."""
        return {
            place: (row[0], row[2], self.facts[place].model_dump(mode="json", exclude_unset=True))
            for place, row in self.rows.items()
        }

    def in_plain(self) -> set[Place]:
        """Where something personal is stored as anybody can read it."""
        return {place for place in self.rows if self._texts(place) & set(leaves(unsealed(self.rows[place][3])))}

    def of(self, organization_id: str, person: UUID) -> set[str]:
        """Every text that an organisation's log says of a person."""
        found: set[str] = set()
        for place, (fields, with_whom, people) in self.whose.items():
            if place[0] == organization_id:
                mine = [one for one in people if one[1] == person]
                found |= set(self._leaves(place, fields if with_whom == person else [], mine))
        return found

    def mentions(self, organization_id: str, texts: set[str]) -> set[str]:
        """Which of these texts an organisation's log still says anywhere, to whoever has every key there is."""
        opened = (fact.model_dump(mode="json") for place, fact in self.facts.items() if place[0] == organization_id)
        return texts & {leaf for one in opened for leaf in leaves(one)}

    def _texts(self, place: Place) -> set[str]:
        fields, _, people = self.whose[place]
        return set(self._leaves(place, fields, people))

    def _leaves(self, place: Place, fields: Any, people: Any) -> Iterator[str]:
        fact = self.facts[place].model_dump(mode="json")
        of_fields = fact["fields"] if isinstance(fact.get("fields"), dict) else fact
        for name in fields:
            yield from leaves(of_fields[name])
        for number, _ in people:
            yield from leaves([fact["participants"][number][name] for name in ("name", "email")])


def unsealed(state: bytes) -> Any:
    """What is stored, without its boxes."""
    stored = json.loads(state)
    if state.startswith(SEALED):
        del stored["sealed"]
    return stored


def leaves(value: Any) -> Iterator[str]:
    """The texts in a JSON value that are long enough to be told from others."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str) and len(value) > 2:
        yield value
