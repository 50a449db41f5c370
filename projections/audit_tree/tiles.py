"""The tiles of an organisation's tree in the database."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from psycopg import Connection

from application.event_store.evidence import TREE
from application.proof.merkle import Node
from application.proof.tiles import HEIGHT, WIDTH, Place, node_of, wanted_by

NAME = TREE
"""What the tree's cursor is called, beside those of the read models."""

TILES = """
select t.level, t.index, t.hashes
  from unnest(%(levels)s::smallint[], %(indexes)s::bigint[]) as wanted(level, index)
  join audit_tiles t on t.organization_id = %(organization_id)s
                    and t.level = wanted.level and t.index = wanted.index
"""
_KEEP = """
insert into audit_tiles (organization_id, level, index, hashes)
select %(organization_id)s, t.level, t.index, t.hashes
  from unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[]) as t(level, index, hashes)
on conflict (organization_id, level, index) do update set hashes = excluded.hashes
"""
_LEVELS = 8


def asked(organization_id: str, places: Iterable[Place]) -> dict[str, Any]:
    """The parameters of TILES."""
    wanted = sorted(places)
    return {
        "organization_id": organization_id,
        "levels": [level for level, _ in wanted],
        "indexes": [index for _, index in wanted],
    }


def found(rows: Iterable[tuple[Any, ...]]) -> dict[Place, bytes]:
    """The tiles in rows of TILES."""
    return {(level, index): bytes(hashes) for level, index, hashes in rows}


def load(connection: Connection[Any], organization_id: str, places: Iterable[Place]) -> dict[Place, bytes]:
    return found(connection.execute(TILES, asked(organization_id, places)))


def nodes_for(connection: Connection[Any], organization_id: str, *proofs: Callable[[Node], Any]) -> Node:
    """The nodes these computations will ask for."""
    places = set[Place]().union(*(wanted_by(proof) for proof in proofs))
    return node_of(load(connection, organization_id, places))


def keep(connection: Connection[Any], organization_id: str, tiles: Mapping[Place, bytes]) -> None:
    connection.execute(_KEEP, asked(organization_id, tiles) | {"hashes": [tiles[place] for place in sorted(tiles)]})


def last_tiles(connection: Connection[Any], organization_id: str, size: int) -> dict[int, bytes]:
    """By level, the partial tile at the end of a tree of this size: as long as it was then."""
    counts = {level: size >> (HEIGHT * level) for level in range(_LEVELS)}
    partial = {level: (level, count // WIDTH) for level, count in counts.items() if count % WIDTH}
    tiles = load(connection, organization_id, partial.values())
    return {level: tiles.get(place, b"")[: 32 * (counts[level] % WIDTH)] for level, place in partial.items()}


def leaves(connection: Connection[Any], organization_id: str, position: int, upto: int) -> list[bytes]:
    """The leaves the tree has of the events after `position` and up to `upto`; fewer, where tiles are missing."""
    places = [(0, index) for index in range(position // WIDTH, -(-upto // WIDTH))]
    tiles = load(connection, organization_id, places)
    hashes = b""
    for place in places:
        hashes += tiles.get(place, b"")
        if len(hashes) % (32 * WIDTH):
            break  # the last one, or one that is not whole
    start = position % WIDTH
    entries = [hashes[at : at + 32] for at in range(32 * start, len(hashes), 32)]
    return entries[: upto - position]
