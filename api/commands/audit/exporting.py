"""`activities audit export`: a stretch of the log as a bundle that proves itself, offline, without this service."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import Connection, IsolationLevel

from api.commands.audit import verify
from api.commands.audit.bundle import Bundle, bundle_at
from api.commands.audit.readme import README
from api.commands.progress import counting
from api.serving.errors import CannotServe
from application.event_store.evidence import Exhibit, chunks, exhibits
from application.oversight.on_record import every_organization, export_of, on_record
from application.postgres.connections import Role, conninfo
from application.proof.leaf import instant
from application.proof.merkle import Node, subtrees
from application.proof.tiles import Missing
from projections.audit_tree.tiles import leaves, nodes_for

PATIENCE = 60.0
MOST_EARLIER = 64
"""Earlier checkpoints in a bundle, evenly chosen."""

_CONFINE = "select set_config('activities.organization_id', %s, true)"
_LATEST = "select size, note from audit_checkpoints where organization_id = %s order by size desc limit 1"
_EARLIER = """
select note from (select note, size, row_number() over (order by size) as n, count(*) over () as among
                    from audit_checkpoints
                   where organization_id = %(organization_id)s and size >= %(first)s and size <= %(last)s) c
 where n = among or n %% (1 + among / %(most)s) = 0
 order by size
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events from `first` to `last`, under a checkpoint of `size`. `cut`: a size somebody holds a checkpoint of."""

    organization: str
    origin: str
    note: str
    size: int
    first: int
    last: int
    cut: int


def export(dsn: str, organization: str, out: Path, *, first: int, last: int | None, known: Path | None) -> Stretch:
    """Write the bundle; that it was written is on record in the log. Raises CannotServe."""
    whose = {organization}.intersection(every_organization(dsn))  # one without a log has nothing to export
    with on_record(dsn, whose, export_of("audit", format="bundle")) as work:
        stretch = _exported(dsn, organization, out, first=first, last=last, known=known)
        work.rows = stretch.last - stretch.first + 1
    return stretch


def _exported(dsn: str, organization: str, out: Path, *, first: int, last: int | None, known: Path | None) -> Stretch:
    cut = 0 if known is None else _size_of(known.read_text(encoding="utf-8"))
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection, counting("exporting") as told:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        size, note = _await_checkpoint(connection, organization, max(first, last or 0, cut))
        origin = note.partition("\n")[0]
        stretch = Stretch(organization, origin, note, size, first, last or size, cut)
        if stretch.last < first:
            raise CannotServe(f"--from {first} is after --to {stretch.last}")
        connection.execute("set local statement_timeout = 0")
        try:
            with bundle_at(out) as bundle:
                _write(connection, stretch, bundle, told)
        except Missing as missing:
            raise CannotServe(f"the tree is not whole, see `activities audit scrub`: {missing}") from None
    return stretch


def _size_of(note: str) -> int:
    try:
        return int(note.split("\n")[1])
    except (IndexError, ValueError):
        raise CannotServe("the file given by --known is no checkpoint") from None


def _await_checkpoint(connection: Connection[Any], organization: str, wanted: int) -> tuple[int, str]:
    """The latest checkpoint, once it covers what is wanted; the transaction goes on in that snapshot."""
    deadline = time.monotonic() + PATIENCE
    while True:
        connection.execute(_CONFINE, (organization,))
        found = connection.execute(_LATEST, (organization,)).fetchone()
        if found is not None and found[0] >= wanted:
            return int(found[0]), str(found[1])
        if time.monotonic() > deadline or _silent(connection, organization, wanted):
            covered = 0 if found is None else found[0]
            raise CannotServe(f"only {covered} events are signed: is a signer at work, is there an alarm?")
        connection.rollback()
        time.sleep(0.2)


def _silent(connection: Connection[Any], organization: str, wanted: int) -> bool:
    """Whether waiting is of no use: the log does not have that much."""
    asked = "select position from heads where organization_id = %s and position >= %s"
    return connection.execute(asked, (organization, max(wanted, 1))).fetchone() is None


def _write(connection: Connection[Any], stretch: Stretch, bundle: Bundle, told: Callable[[int], None]) -> None:
    before, after = _around(connection, stretch)
    manifest = {
        "format": verify.FORMAT,
        "organization": stretch.organization,
        "origin": stretch.origin,
        "first": stretch.first,
        "last": stretch.last,
        "size": stretch.size,
        "cut": stretch.cut,
        "before": [one.hex() for one in before],
        "after": [one.hex() for one in after],
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    said = {"first": stretch.first, "last": stretch.last, "size": stretch.size, "origin": stretch.origin}
    asked = {"organization_id": stretch.organization, "first": stretch.first, "last": stretch.last}
    earlier = [row[0] for row in connection.execute(_EARLIER, {**asked, "most": MOST_EARLIER})]
    for name, content in (
        ("README.txt", README.format(**said).encode()),
        ("verify.py", Path(verify.__file__).read_bytes()),
        ("manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2)),
        ("checkpoint.txt", stretch.note.encode()),
        ("earlier.json", orjson.dumps(earlier)),
    ):
        with bundle.file(name) as file:
            file.write(content)
    with bundle.file("events.ndjson") as file:
        for rows in _rows(connection, stretch):
            file.write(b"".join(line(row) for row in rows))
            told(len(rows))
    with bundle.file("leaves.bin") as file:
        for start, end in chunks(stretch.first - 1, stretch.last):
            file.write(b"".join(leaves(connection, stretch.organization, start, end)))


def _rows(connection: Connection[Any], stretch: Stretch) -> Iterator[list[Exhibit]]:
    for start, end in chunks(stretch.first - 1, stretch.last):
        yield exhibits(connection, stretch.organization, start, end)


def _around(connection: Connection[Any], stretch: Stretch) -> tuple[list[bytes], list[bytes]]:
    """The roots of the subtrees before and after the stretch, none across the cut."""
    places = [_cut(0, stretch.first - 1, stretch.cut), _cut(stretch.last, stretch.size, stretch.cut)]

    def roots(node: Node) -> list[list[bytes]]:
        return [[node(level, index) for level, index in side] for side in places]

    before, after = roots(nodes_for(connection, stretch.organization, roots))
    return before, after


def _cut(start: int, end: int, cut: int) -> list[tuple[int, int]]:
    if start < cut < end:
        return subtrees(start, cut) + subtrees(cut, end)
    return subtrees(start, end)


def line(row: Exhibit) -> bytes:
    """An event as the bundle has it; text stays text, so that people can read it."""
    if row.redacted is not None:
        return orjson.dumps({"position": row.position, "redacted": True, "leaf": row.redacted.hex()}) + b"\n"
    told = {
        "position": row.position,
        "stream": str(row.stream),
        "version": row.version,
        "type": row.topic,
        "recorded_at": instant(row.recorded_at).decode(),
        "metadata": row.metadata,
    }
    return orjson.dumps(told | _state(row.state)) + b"\n"


def _state(state: bytes) -> dict[str, str]:
    try:
        return {"state": state.decode()}
    except UnicodeDecodeError:
        return {"state_base64": b64encode(state).decode()}
