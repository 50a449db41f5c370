"""Does a log continue what was signed of it? The one question a signature answers."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from psycopg import Connection

from application.event_store.evidence import Fault
from application.proof.merkle import EMPTY, Node, consistency, consistent, frontier, root
from application.proof.notes import Checkpoint, NotACheckpoint, VerifierKey
from application.proof.tiles import Missing
from projections.audit_tree.inspecting import Tampered, inspected
from projections.audit_tree.tiles import nodes_for
from projections.signing import ledger


def continued(connection: Connection[Any], organization_id: str, last: Checkpoint, size: int) -> bytes:
    """The root over `size` events, where it continues the last one signed. Raises Tampered.

    The tiles of what was signed before must make the root that was signed; what came after is derived from the rows,
    and must be what the tiles have. So nothing the database says is believed.
    """
    fault: Fault | None = None
    if size < last.size:
        raise Tampered(organization_id, Fault(size + 1, f"is gone: {last.size} were signed, the tree has {size}"))
    try:
        node = _nodes(connection, organization_id, last.size, size)
        grown = frontier(last.size, node)
        if grown.root() != last.root:
            raise Tampered(organization_id, somewhere(0, last.size))
        for _, leaf in inspected(connection, organization_id, last.size, size):
            grown.push(leaf)
        if grown.root() != root(size, node) or not _proved(last, size, grown.root(), node):
            fault = Fault(last.size + 1, "is in tiles that do not make one tree")
    except Missing as missing:
        fault = Fault(max(last.size, 1), f"cannot be proved: {missing}")
    if fault is not None:
        raise Tampered(organization_id, fault)
    return grown.root()


def _nodes(connection: Connection[Any], organization_id: str, first: int, second: int) -> Node:
    def proof(node: Node) -> list[bytes]:
        return consistency(first, second, node) if first else []

    return nodes_for(
        connection, organization_id, lambda node: frontier(first, node), lambda node: root(second, node), proof
    )


def _proved(last: Checkpoint, size: int, found: bytes, node: Node) -> bool:
    """The proof anybody else would ask for."""
    if last.size == 0:
        return True
    return consistent(last.size, size, last.root, found, consistency(last.size, size, node))


def nothing_signed(origin: str) -> Checkpoint:
    return Checkpoint(origin, 0, EMPTY)


def parted(connection: Connection[Any], organization_id: str, key: VerifierKey, *kept: Checkpoint) -> Fault | None:
    """Where the tree as it is parts from what was signed of it: published, or kept by the signer itself."""
    agreed = 0
    for signed in sorted([*_published(connection, organization_id, key), *kept], key=lambda one: one.size):
        try:
            node = nodes_for(connection, organization_id, partial(root, signed.size))
            if root(signed.size, node) != signed.root:
                return somewhere(agreed, signed.size)
        except Missing as missing:
            return Fault(agreed + 1, f"or one after it, up to {signed.size}, cannot be proved: {missing}")
        agreed = signed.size
    return None


def _published(connection: Connection[Any], organization_id: str, key: VerifierKey) -> Iterator[Checkpoint]:
    for note in ledger.checkpoints(connection, organization_id):
        with suppress(NotACheckpoint):  # of another key: it says nothing here
            yield Checkpoint.read(note, key)


def somewhere(agreed: int, signed: int) -> Fault:
    """A root tells that something is not as it was, not what."""
    return Fault(agreed + 1, f"or one after it, up to {signed}, is not what was signed")
