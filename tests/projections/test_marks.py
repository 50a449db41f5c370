"""What is marked in a text is what search finds in it: whole words, however they are written."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from projections.activity_search.query import marked
from projections.activity_search.words import LONGEST, words_of

A_WORD = (
    st.text(st.sampled_from("abC1"), min_size=1, max_size=3) | st.just("a" * LONGEST) | st.just("A" * (LONGEST + 2))
)
ANOTHER = st.sampled_from(["é", "ab\u0301", "Straße"])
BETWEEN = st.sampled_from([" ", "_", "-", "<", "'", " & "])


def texts(word: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(word, BETWEEN).map("".join), max_size=8).map("".join)


@given(texts(A_WORD) | texts(A_WORD | ANOTHER), st.frozensets(A_WORD | ANOTHER, max_size=4))
def test_what_is_marked_are_the_words_looked_for_and_nothing_else_is_changed(text: str, sought: frozenset[str]) -> None:
    words = frozenset(word for one in sought for word in words_of(one))
    shown = marked(text, words)
    assert html.unescape(re.sub("</?mark>", "", shown)) == text
    said = [word for piece in re.findall("<mark>(.*?)</mark>", shown) for word in words_of(html.unescape(piece))]
    assert said == [word for word in words_of(text) if word in words]
