"""The Merkle tree of RFC 9162, section 2.1: roots, proofs of inclusion and of consistency, and their verification.

Trees are asked for their nodes by a function `node(level, index)`: the hash of the perfect subtree over the leaves
`index * 2**level` up to `(index + 1) * 2**level`, that one excluded. All hashes are 32 bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Node = Callable[[int, int], bytes]

EMPTY = sha256().digest()
"""The root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(size: int, node: Node) -> bytes:
    """The root over the first `size` leaves."""
    return _hash(0, size, node) if size else EMPTY


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    grown = Frontier()
    for leaf in leaves:
        grown.push(leaf)
    return grown.root()


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(m, D[n]): the hashes that lead from leaf `index` to the root over `size` leaves. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_hash(middle, end, node))
            end = middle
        else:
            path.append(_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency(first: int, second: int, node: Node) -> list[bytes]:
    """PROOF(m, D[n]): the hashes that show the tree of `first` leaves in that of `second`. Raises ValueError."""
    if not 0 < first <= second:
        raise ValueError(f"there is no proof from {first} leaves to {second}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_hash(middle, end, node))
            end = middle
        else:
            path.append(_hash(start, middle, node))
            start, whole = middle, False
    return ([] if whole else [_hash(start, end, node)]) + path[::-1]


def includes(index: int, leaf: bytes, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from leaf `index` to the root over `size` leaves. Source: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether `path` shows the first tree to be the beginning of the second. Source: RFC 9162, section 2.1.4.2."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class Frontier:
    """What must be kept of a tree to let it grow: the roots of its perfect subtrees, the widest first."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Raises ValueError where so many leaves have another number of perfect subtrees."""
        if len(hashes) != size.bit_count():
            raise ValueError(f"{size} leaves have {size.bit_count()} perfect subtrees, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def push(self, leaf: bytes) -> None:
        self.hashes.append(leaf)
        size = self.size
        while size & 1:
            right = self.hashes.pop()
            self.hashes[-1] = node_hash(self.hashes[-1], right)
            size >>= 1
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY
        found = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            found = node_hash(left, found)
        return found


def frontier(size: int, node: Node) -> Frontier:
    """The frontier of the first `size` leaves."""
    return Frontier(size, [node(level, index) for level, index in subtrees(0, size)])


def subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees, (level, index) each, that the leaves from `start` up to `end` (excluded) fall into."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash(start: int, end: int, node: Node) -> bytes:
    """MTH(D[start:end]) of a part that the tree of RFC 9162 has."""
    *lefts, right = (node(level, index) for level, index in subtrees(start, end))
    for left in reversed(lefts):
        right = node_hash(left, right)
    return right
