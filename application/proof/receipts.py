"""Receipts: what a command is told of the events it recorded, to be held against the log later.

`12:<hex>` is the leaf of event 12; `12-14:<hex>` is the root of the tree over the leaves of events 12 to 14 alone. So a
receipt is as short for 500 events as for one. It is a promise: within a minute a signed tree has these leaves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from application.proof.merkle import root_of

_RECEIPT = re.compile(r"([1-9]\d{0,17})(?:-([1-9]\d{0,17}))?:([0-9a-f]{64})")


def receipt_of(first: int, leaves: Sequence[bytes]) -> str:
    """The receipt of events with these leaves, from position `first` on."""
    if len(leaves) == 1:
        return f"{first}:{leaves[0].hex()}"
    return f"{first}-{first + len(leaves) - 1}:{root_of(leaves).hex()}"


@dataclass(frozen=True, slots=True)
class Promise:
    """What a receipt says."""

    first: int
    last: int
    root: bytes

    @classmethod
    def read(cls, receipt: str) -> Self:
        """Raises ValueError where it is no receipt."""
        found = _RECEIPT.fullmatch(receipt.strip())
        if not found:
            raise ValueError("a receipt is <position>:<64 hex digits>, or <first>-<last>:<64 hex digits>")
        first = int(found[1])
        return cls(first, int(found[2] or first), bytes.fromhex(found[3]))

    def kept(self, leaves: Sequence[bytes]) -> bool:
        """Whether these are the leaves that were promised."""
        return len(leaves) == self.last - self.first + 1 and root_of(leaves) == self.root
