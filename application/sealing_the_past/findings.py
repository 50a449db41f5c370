"""What of one stream stands in plain that is personal, and who was erased in it already; found out from its history."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.event_store.keyring import SEALED
from application.event_store.mapper import State, advance, decode
from application.event_store.persons import Whose, participant_of, whose
from application.event_store.reading import Row
from domain.activity.activity import Activity
from domain.activity.events import PersonalDataErased


@dataclass(frozen=True, slots=True)
class InPlain:
    """A fact of which something is to be sealed, and whose that is."""

    row: Row
    fact: Any
    whose: Whose

    def people(self) -> set[UUID]:
        _, with_whom, participants = self.whose
        return {who for _, who in participants} | (set() if with_whom is None else {with_whom})


@dataclass(slots=True)
class Findings:
    """Of one stream. It is not `whole` where some of it could not be read, or not be sealed.

    `erased`: participants whom an erasure blanked here, with the version up to which, and the erasure.

    Of an outsider whose key is destroyed nothing else is left to know them by.
    """

    stream: UUID
    in_plain: list[InPlain] = field(default_factory=list)
    erased: dict[UUID, tuple[int, str]] = field(default_factory=dict)
    whole: bool = True

    def erasure_of(self, person: UUID, version: int) -> str | None:
        """The erasure that blanked what the fact of this version says of the person."""
        upto, erasure_id = self.erased.get(person, (0, ""))
        return erasure_id if version < upto else None


def findings_of(organization_id: str, stream: UUID, rows: Iterable[Row], after: int) -> Findings:
    """Of all of its rows, in order: what stands in plain after a position.

    Whose a fact is, only its history tells: from one that cannot be read on, nothing is found.
    """
    found = Findings(stream)
    state: State | None = None
    for row in rows:
        try:
            fact = decode(row.topic, row.state, (row.key, row.version))
            if isinstance(fact, PersonalDataErased):
                _note(found, organization_id, state, fact, row.version)
            state = advance(state, fact, row.position)
            of_whom = whose(organization_id, fact, state)
        except Exception:  # noqa: BLE001  whatever it is, it is this stream's; the others are sealed
            found.whole = False
            return found
        if row.position > after and not row.state.startswith(SEALED) and (of_whom[0] or of_whom[2]):
            found.in_plain.append(InPlain(row, fact, of_whom))
    return found


def _note(found: Findings, organization_id: str, state: State | None, fact: PersonalDataErased, version: int) -> None:
    participants = state.participants if isinstance(state, Activity) else ()
    for place in fact.people:
        if place < len(participants) and (who := participant_of(organization_id, participants[place])) is not None:
            found.erased[who] = (version, fact.erasure_id)
