"""Where a tree's nodes are kept: tiles of 256 hashes, each the root of a tile of the level below (C2SP tlog-tiles).

Tile `index` of level 0 has the leaves from 256 * index on; an entry of level n + 1 is the root over a full tile of
level n. The last tile of a level may be partial; what it has never changes, it only gets longer.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from application.proof.merkle import Node, node_hash

WIDTH = 256
HEIGHT = 8

Place = tuple[int, int]
"""The level and the index of a tile."""


class Missing(Exception):
    """A tile that is not there, or not as long as it must be."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"tile {place[1]} of level {place[0]} is missing or too short")
        self.place = place


def node_of(tiles: Mapping[Place, bytes]) -> Node:
    """Nodes out of these tiles. The function raises Missing."""

    def node(level: int, index: int) -> bytes:
        place, start, count = _within(level, index)
        hashes = tiles.get(place, b"")
        if len(hashes) < 32 * (start + count):
            raise Missing(place)
        entries = [hashes[at : at + 32] for at in range(32 * start, 32 * (start + count), 32)]
        return perfect_root(entries)

    return node


def wanted_by(proof: Callable[[Node], Any]) -> set[Place]:
    """The tiles a computation will ask nodes of."""
    wanted: set[Place] = set()

    def node(level: int, index: int) -> bytes:
        wanted.add(_within(level, index)[0])
        return b""

    proof(node)
    return wanted


def _within(level: int, index: int) -> tuple[Place, int, int]:
    """The tile a node is in, and which of its entries, from where and how many, the node is the root of."""
    tile_level, height = divmod(level, HEIGHT)
    first = index << height
    return (tile_level, first >> HEIGHT), first & (WIDTH - 1), 1 << height


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over 1, 2, 4, ... hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def grown(size: int, last: Mapping[int, bytes], leaves: list[bytes]) -> Iterator[tuple[Place, bytes]]:
    """The tiles that change as leaves are added to a tree of `size`, as they become.

    `last` has, by level, the partial tile there (empty or absent where the last one is full).
    """
    level, added = 0, leaves
    while added:
        before = size >> (HEIGHT * level)
        hashes = last.get(level, b"")
        if len(hashes) != 32 * (before & (WIDTH - 1)):
            raise Missing((level, before >> HEIGHT))
        index, added = before >> HEIGHT, [*_entries(hashes), *added]
        roots = []
        for at in range(0, len(added), WIDTH):
            tile = added[at : at + WIDTH]
            yield (level, index + at // WIDTH), b"".join(tile)
            if len(tile) == WIDTH:
                roots.append(perfect_root(tile))
        level, added = level + 1, roots


def _entries(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
