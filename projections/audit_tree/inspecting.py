"""Holding the stored rows against the tree: each leaf is derived anew, and must be the one the tree has."""

from collections.abc import Callable, Iterator
from typing import Any

from psycopg import Connection

from application.event_store.evidence import Exhibit, Fault, chunks, exhibits, out_of_order, recorded_at
from application.proof.leaf import Leaves
from projections.audit_tree.tiles import leaves as leaves_of_tree


class Tampered(Exception):
    """A log is not what it was."""

    def __init__(self, organization_id: str, fault: Fault) -> None:
        super().__init__(f"{organization_id}: {fault}")
        self.organization_id = organization_id
        self.fault = fault


def inspected(
    connection: Connection[Any],
    organization_id: str,
    position: int,
    upto: int,
    *,
    told: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[Exhibit, bytes]]:
    """The events after `position` and up to `upto`, each with its leaf. Raises Tampered at the first at fault."""
    leaves = Leaves(organization_id)
    before = recorded_at(connection, organization_id, position)
    for start, end in chunks(position, upto):
        rows = exhibits(connection, organization_id, start, end)
        fault = out_of_order(rows, start, end, before)
        of_tree = leaves_of_tree(connection, organization_id, start, end)
        for place, row in enumerate(rows, start=start + 1):
            if fault is not None and fault.position == place:
                raise Tampered(organization_id, fault)
            leaf = row.leaf(leaves)
            if place - start > len(of_tree):
                raise Tampered(organization_id, Fault(place, "is not in the tree: a tile is missing"))
            if leaf != of_tree[place - start - 1]:
                raise Tampered(organization_id, Fault(place, "is not what it was when the tree took it in"))
            yield row, leaf
        if fault is not None:
            raise Tampered(organization_id, fault)
        before = rows[-1].recorded_at
        told(len(rows))
