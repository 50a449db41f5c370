"""`activities audit scrub`: every leaf of every log derived anew, held against the tree and the signed checkpoints."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from api.commands.progress import counting
from application.event_store.evidence import Fault, chunks, exhibits, out_of_order, recorded_at
from application.postgres.connections import Role, conninfo
from application.proof.merkle import Frontier
from application.proof.notes import Checkpoint, NotACheckpoint, VerifierKey, origin_of
from projections.audit_tree.inspecting import Tampered, inspected
from projections.signing.continuing import somewhere
from projections.signing.custody import Custody
from projections.signing.ledger import Tree, checkpoints, registered_signer, trees

MOST_SHOWN = 20
Told = Callable[[int], None]


@dataclass(slots=True)
class Finding:
    """What was found of one log."""

    organization_id: str
    events: int = 0
    signed: int = 0
    redacted: list[int] = field(default_factory=list)
    fault: Fault | None = None


def scrub(dsn: str, custody: Custody | None, organization: str | None) -> int:
    """0 where every log is what was signed, 1 where one is not, 2 where there is none of that name."""
    with psycopg.connect(conninfo(dsn, Role.SIGNER)) as connection, counting("scrubbing") as told:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute("set local statement_timeout = 0")
        found = list(_findings(connection, custody, organization, told))
    for finding in found:
        print(_told(finding))
    if organization is not None and not found:
        print(f"{organization}: there is no such log")
        return 2
    return int(any(finding.fault for finding in found))


def _findings(
    connection: Connection[Any], custody: Custody | None, organization: str | None, told: Told
) -> Iterator[Finding]:
    named = registered_signer(connection)
    for tree in trees(connection):
        if organization not in (None, tree.organization_id):
            continue
        finding = Finding(tree.organization_id)
        try:
            signed = _signed(connection, custody, named, tree.organization_id)
            _inspect(connection, finding, tree, signed, told)
        except Tampered as tampered:
            finding.fault = tampered.fault
        except NotACheckpoint as error:
            finding.fault = Fault(1, f"cannot be judged, the head kept outside is none: {error}")
        yield finding


def _signed(
    connection: Connection[Any], custody: Custody | None, named: tuple[str, bytes] | None, organization_id: str
) -> dict[int, bytes]:
    """The roots that were signed, by size. Who signs is as the signer's own directory says, where it is at hand; then
    the last head it keeps counts, too."""
    signed: dict[int, bytes] = {}
    if custody is not None:
        key = custody.verifier(organization_id)
        if (head := custody.head(organization_id)) is not None:
            signed[head[0].size] = head[0].root
    elif named is not None:
        key = VerifierKey(origin_of(named[0], organization_id), named[1])
    else:
        return {}
    for note in checkpoints(connection, organization_id):
        with suppress(NotACheckpoint):  # of an earlier key, or of nobody: it says nothing
            checkpoint = Checkpoint.read(note, key)
            signed.setdefault(checkpoint.size, checkpoint.root)
    return signed


def _inspect(connection: Connection[Any], finding: Finding, tree: Tree, signed: dict[int, bytes], told: Told) -> None:
    """Raises Tampered."""
    organization_id, grown = tree.organization_id, Frontier()
    for exhibit, leaf in inspected(connection, organization_id, 0, tree.size, told=told):
        grown.push(leaf)
        finding.events = grown.size
        if exhibit.redacted is not None:
            finding.redacted.append(exhibit.position)
        if grown.size in signed:
            if grown.root() != signed[grown.size]:
                raise Tampered(organization_id, somewhere(finding.signed, grown.size))
            finding.signed = grown.size
    if max(signed, default=0) > tree.size:
        gone = Fault(tree.size + 1, f"is gone: {max(signed)} were signed, the tree has {tree.size}")
        raise Tampered(organization_id, gone)
    _inspect_rest(connection, finding, tree)


def _inspect_rest(connection: Connection[Any], finding: Finding, tree: Tree) -> None:
    """What the tree has not taken in yet must be there, and in order. Raises Tampered."""
    before = recorded_at(connection, tree.organization_id, tree.size)
    for start, end in chunks(tree.size, tree.head):
        rows = exhibits(connection, tree.organization_id, start, end)
        if (fault := out_of_order(rows, start, end, before)) is not None:
            raise Tampered(tree.organization_id, fault)
        before, finding.events = rows[-1].recorded_at, end


def _told(finding: Finding) -> str:
    if finding.fault is not None:
        return f"{finding.organization_id}: {finding.fault}"
    said = (
        f"{finding.organization_id}: {finding.events} events, {finding.signed} of them under a checkpoint, as recorded"
    )
    if finding.redacted:
        shown = ", ".join(map(str, finding.redacted[:MOST_SHOWN]))
        more = len(finding.redacted) - MOST_SHOWN
        said += f"; {len(finding.redacted)} redacted: {shown}{f' and {more} more' if more > 0 else ''}"
    return said
