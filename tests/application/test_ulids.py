"""ULIDs spelled here are those the library spells."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from application.ulids import new_ulid, ulid_of, uuid_of

ANY_BITS = st.integers(min_value=0, max_value=2**128 - 1).map(lambda bits: UUID(int=bits))


@given(ANY_BITS)
def test_any_bits_are_spelled_as_the_library_spells_them_and_read_back_in_either_case(key: UUID) -> None:
    text = ulid_of(key)
    assert text == str(ULID.from_uuid(key))
    assert uuid_of(text) == uuid_of(text.lower()) == key


@given(st.text(max_size=30) | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=26, max_size=26))
def test_what_the_library_takes_for_none_is_none(text: str) -> None:
    try:
        expected = ULID.from_str(text.upper()).to_uuid() if text.isascii() else None
    except ValueError:
        expected = None
    if expected is not None:
        assert uuid_of(text) == expected
        return
    with pytest.raises(ValueError, match="not a ULID"):
        uuid_of(text)


def test_new_ones_differ_and_say_when_they_were_made() -> None:
    before = ULID()
    made = [new_ulid() for _ in range(1000)]
    after = ULID()
    assert len(set(made)) == 1000
    assert all(before.milliseconds <= ULID.from_str(one).milliseconds <= after.milliseconds for one in made)
