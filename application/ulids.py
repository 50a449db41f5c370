"""ULIDs, as the library `ulid` has them, spelled several letters at a time.

Each command needs half a dozen; letter by letter they took a tenth of its time. The library is what the tests
compare this with.
"""

import os
import time
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_DIGITS = {ord(letter): ord(digit) for letter, digit in zip(_ALPHABET, "0123456789abcdefghijklmnopqrstuv", strict=True)}
_SPELLED = frozenset(_ALPHABET)
_LETTERS = 26
_BIGGEST_FIRST = "7"


def new_ulid() -> str:
    """A new one: its first 48 bits are the time in milliseconds, the others random."""
    return _spelled((time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10)))


def ulid_of(key: UUID) -> str:
    return _spelled(key.int)


def uuid_of(ulid: str) -> UUID:
    """The bits of a ULID, in either case. Raises ValueError when it is none."""
    upper = ulid.upper() if ulid.isascii() else ""
    if len(upper) != _LETTERS or upper[0] > _BIGGEST_FIRST or not _SPELLED.issuperset(upper):
        raise ValueError("not a ULID")
    return UUID(int=int(upper.translate(_DIGITS), 32))


def _spelled(bits: int) -> str:
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])
