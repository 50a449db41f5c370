"""Going over what was signed long ago, a piece at a time: every row is held against its tree once a day."""

import time
from collections.abc import Mapping
from typing import Any

from psycopg import Connection

from application.event_store.evidence import CHUNK, Fault
from projections.audit_tree.inspecting import Tampered, inspected
from projections.signing.ledger import Tree

DAY = 86_400.0


class Patrol:
    """Remembers where it is, and what it found: that stays found until the same events are right again."""

    def __init__(self, every: float = DAY) -> None:
        self._every = every
        self._due: dict[str, float] = {}
        self._walking: tuple[str, int] | None = None
        self._faults: dict[str, Fault] = {}

    def step(self, connection: Connection[Any], trees: Mapping[str, Tree]) -> None:
        """Inspect the next piece of some log. Raises Tampered, and goes on behind that log the next time."""
        if self._walking is None:
            self._walking = self._next(trees)
        if self._walking is None:
            return
        organization_id, position = self._walking
        size = trees[organization_id].size if organization_id in trees else 0
        upto = min(position + CHUNK, size)
        self._walking = (organization_id, upto) if upto < size else None
        try:
            for _ in inspected(connection, organization_id, position, upto):
                pass
        except Tampered as tampered:
            self._faults[organization_id], self._walking = tampered.fault, None
            raise

    def look_again(self, connection: Connection[Any], organization_id: str) -> None:
        """Raises Tampered while what was found there is still so."""
        if (fault := self._faults.get(organization_id)) is not None:
            for _ in inspected(connection, organization_id, fault.position - 1, fault.position):
                pass
            del self._faults[organization_id]
            self._due.pop(organization_id, None)  # there may be more further on

    def _next(self, trees: Mapping[str, Tree]) -> tuple[str, int] | None:
        now = time.monotonic()
        for organization_id in trees:
            if self._due.get(organization_id, 0.0) <= now and organization_id not in self._faults:
                self._due[organization_id] = now + self._every
                return organization_id, 0
        return None
