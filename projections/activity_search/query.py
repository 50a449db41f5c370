"""The question search answers: where are these words said, best match first, with the places marked."""

import html
import re
from collections.abc import Iterator
from functools import lru_cache

import orjson

from projections.activity_search.words import LONGEST, WORD, normalised, words_of
from projections.filters import ActivityFilter
from projections.paging import Listing, Sort
from projections.resource import WITH_NAMES, added_sql, to_json

READ_MODELS = ("activity_search", "activity_list", "directory")
MOST_TERMS = 16
MOST_RANKED = 500
"""Among how many matches, the newest, the best are sought: ranking all that say a common word does not scale."""

_FOUND = """
with found as materialized (
    select activity_id, rank, expression, total from search_page(%(organization_id)s, %(terms)s, %(most)s)
)"""
_TOTAL = "select coalesce(max(f.total), 0) as total from found f"
_WIDE = """ join activity_list l on l.organization_id = %(organization_id)s and l.activity_id = s.activity_id
                                and l.deleted_at is null"""
_NAMES = " join activity_list l on l.organization_id = k.organization_id and l.activity_id = k.activity_id"


def terms_of(q: str) -> list[str]:
    return list(dict.fromkeys(words_of(q)))[:MOST_TERMS]


def search(
    organization_id: str,
    terms: list[str],
    filters: ActivityFilter,
    *,
    includes: frozenset[str] = frozenset(),
) -> Listing:
    """Activities that say every term, as a whole word, in part, or misspelt; the best of the newest first.

    Under filters the best of all that match are sought. Each comes with the words looked for.
    """
    conditions = filters.conditions()
    return Listing(
        read_models=READ_MODELS,
        first=_FOUND,
        of="found s" + (_WIDE if conditions else ""),
        key="s.activity_id",
        columns="%(organization_id)s::text as organization_id, s.activity_id, s.expression",
        where=["s.activity_id is not null", *conditions],
        parameters={
            "organization_id": organization_id,
            "terms": terms,
            "most": None if conditions else MOST_RANKED,
            **filters.parameters(),
        },
        sort=Sort("rank", "s.rank", "real", descending=True),
        shown="l.document",
        added=added_sql(includes),
        page_alias="k",
        with_names=_NAMES + WITH_NAMES,
        extras=("k.expression",),
        total=None if conditions else _TOTAL,
        identity={"terms": terms, **filters.parameters()},
    )


@lru_cache(maxsize=1024)
def words_in(expression: str) -> frozenset[str]:
    return frozenset(re.findall(r"'([^']+)'", expression))


def highlighted(item: str, expression: str) -> str:
    """The item with `highlight`: HTML-escaped texts, the words looked for in <mark>."""
    activity, words = orjson.loads(item), words_in(expression)
    marks = {
        "subject": marked(activity["subject"], words),
        "description": None if activity["description"] is None else marked(activity["description"], words),
    }
    return f'{item[:-1]},"highlight":{to_json(marks).decode()}}}'


def marked(text: str, words: frozenset[str]) -> str:
    """The text HTML-escaped, with these words in <mark>."""
    pieces, done = [], 0
    for start, end in _spoken(text, words):
        pieces += [html.escape(text[done:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        done = end
    return "".join([*pieces, html.escape(text[done:])])


def _spoken(text: str, words: frozenset[str]) -> list[tuple[int, int]]:
    """Where any of the words is said."""
    if text.isascii():
        lower = text.lower()
        return sorted(span for word in words for span in _said(lower, word))
    return [match.span() for match in _ACCENTED.finditer(text) if normalised(match.group())[:LONGEST] in words]


def _said(text: str, word: str) -> Iterator[tuple[int, int]]:
    """Where one word is said, as a whole. Looking for each takes a tenth of the time that looking at all words does."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if len(word) == LONGEST:  # longer ones were cut
            end = next((at for at in range(end, len(text)) if not text[at].isalnum()), len(text))
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            yield start, end
        start = text.find(word, end)


_ACCENTED = re.compile(rf"(?:{WORD.pattern}|[\u0300-\u036f])+")
"""A word as written: accents may stand beside their letters."""
