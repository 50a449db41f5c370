"""Trees, proofs and tiles: against the vectors of RFC 6962, against its recursive definition, and by their laws."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.proof.merkle import (
    EMPTY,
    Frontier,
    Node,
    consistency,
    consistent,
    frontier,
    includes,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    root_of,
    subtrees,
)
from application.proof.tiles import WIDTH, Missing, Place, grown, node_of, wanted_by

# The test data of RFC 6962's reference implementation.
DATA = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
GROWTH = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
LEAVES = [leaf_hash(bytes.fromhex(data)) for data in DATA]
MANY = [leaf_hash(b"%d" % number) for number in range(2 * WIDTH * WIDTH // 100)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH, word for word as RFC 9162 has it."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def nodes_of(leaves: list[bytes]) -> Node:
    return lambda level, index: by_definition(leaves[index << level : (index + 1) << level])


def hexed(hashes: list[bytes]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)


def test_the_roots_are_those_of_the_vectors() -> None:
    assert root_of([]) == root(0, nodes_of([])) == EMPTY
    for size, wanted in enumerate(ROOTS, start=1):
        assert root_of(LEAVES[:size]).hex() == root(size, nodes_of(LEAVES)).hex() == wanted


@pytest.mark.parametrize(("place", "path"), PATHS.items())
def test_proofs_of_inclusion_are_those_of_the_vectors(place: tuple[int, int], path: tuple[str, ...]) -> None:
    assert hexed(inclusion(*place, nodes_of(LEAVES))) == path


@pytest.mark.parametrize(("sizes", "path"), GROWTH.items())
def test_proofs_of_consistency_are_those_of_the_vectors(sizes: tuple[int, int], path: tuple[str, ...]) -> None:
    assert hexed(consistency(*sizes, nodes_of(LEAVES))) == path


@given(st.data(), st.integers(1, 300))
def test_every_leaf_is_proved_to_be_in_and_no_other(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = MANY[:size]
    path = inclusion(index, size, nodes_of(leaves))
    found = by_definition(leaves)

    assert includes(index, leaves[index], size, path, found)
    assert not includes(index, leaf_hash(b"another"), size, path, found)
    assert not includes(index, leaves[index], size, [*path, leaf_hash(b"more")], found)
    assert not includes(index, leaves[index], size, path[:-1], found) or size == 1
    if size > 1:
        other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
        assert not includes(other, leaves[index], size, path, found)


@given(st.data(), st.integers(1, 300))
def test_growth_is_proved_and_a_changed_past_is_not(data: st.DataObject, second: int) -> None:
    first = data.draw(st.integers(1, second))
    changed = data.draw(st.integers(0, first - 1))
    leaves = MANY[:second]
    before, after = by_definition(leaves[:first]), by_definition(leaves)
    forged = [*leaves[:changed], leaf_hash(b"forged"), *leaves[changed + 1 :]]

    path = consistency(first, second, nodes_of(leaves))
    assert consistent(first, second, before, after, path)
    assert not consistent(first, second, after if first < second else leaf_hash(b"x"), after, path)
    assert not consistent(first, second, before, by_definition(forged), consistency(first, second, nodes_of(forged)))


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="not among"):
        inclusion(8, 8, nodes_of(LEAVES))
    for sizes in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="no proof"):
            consistency(*sizes, nodes_of(LEAVES))
    assert not includes(1, LEAVES[0], 1, [], LEAVES[0])
    assert not consistent(2, 1, LEAVES[0], LEAVES[0], [])


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_perfect_subtrees_cover_a_stretch_without_gap_or_overlap(start: int, more: int) -> None:
    at = start
    for level, index in subtrees(start, start + more):
        assert index << level == at
        at += 1 << level
    assert at == start + more


@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_tiles_grown_in_any_strides_are_the_tree(strides: list[int]) -> None:
    tiles: dict[Place, bytes] = {}
    size = 0
    for stride in strides:
        leaves = [leaf_hash(b"%d" % number) for number in range(size, size + stride)]
        last = {level: tiles.get((level, size >> 8 * (level + 1)), b"") for level in range(3)}
        tiles |= dict(grown(size, last, leaves))
        size += stride
    every = [leaf_hash(b"%d" % number) for number in range(size)]

    assert root(size, node_of(tiles)) == root_of(every)
    assert frontier(size, node_of(tiles)).root() == root_of(every)
    if size:
        assert inclusion(size // 2, size, node_of(tiles)) == inclusion(size // 2, size, nodes_of(every))


def test_a_tree_of_a_hundred_thousand_has_three_levels_of_tiles_and_its_proofs_need_few_of_them() -> None:
    leaves = [b"%032d" % number for number in range(100_000)]
    tiles = dict(grown(0, {}, leaves))
    assert {level for level, _ in tiles} == {0, 1, 2}
    path = inclusion(77_777, 100_000, node_of(tiles))
    wanted = wanted_by(lambda node: inclusion(77_777, 100_000, node))
    assert len(wanted) <= 6
    assert inclusion(77_777, 100_000, node_of({place: tiles[place] for place in wanted})) == path
    assert includes(77_777, leaves[77_777], 100_000, path, root_of(leaves))


def test_a_missing_tile_is_named() -> None:
    tiles = dict(grown(0, {}, MANY[:600]))
    del tiles[0, 1]
    with pytest.raises(Missing, match="tile 1 of level 0"):
        inclusion(300, 600, node_of(tiles))
    with pytest.raises(Missing, match="tile 2 of level 0"):
        list(grown(600, {}, MANY[:1]))


def test_a_frontier_must_fit_its_size() -> None:
    with pytest.raises(ValueError, match="3 leaves have 2"):
        Frontier(3, [LEAVES[0]])
