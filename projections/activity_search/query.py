"""The question search answers: where are these words said, best match first, with the places marked."""

import html
import re

from projections.activity_search.words import WORD, normalised, words_of
from projections.filters import ActivityFilter
from projections.paging import Listing, Sort
from projections.reading import Question
from projections.resource import WITH_NAMES, resource_sql, to_json

READ_MODELS = ("activity_search", "activity_list", "directory")
MOST_TERMS = 16
MOST_RANKED = 2000
"""Among how many matches, the newest, the best are sought: ranking all that say a common word does not scale."""

_EXPRESSION = "select search_expression(%(organization_id)s, %(terms)s)::text"
_MATCHES = "search_matches(%(organization_id)s, %(expression)s::tsquery, %(exact)s::tsquery, %(most)s) s"
_COUNT = "select search_count(%(organization_id)s, %(expression)s::tsquery) as total"
_WIDE = """ join activity_list l on l.organization_id = %(organization_id)s and l.activity_id = s.activity_id
                                and l.deleted_at is null"""
_NAMES = " join activity_list l on l.organization_id = k.organization_id and l.activity_id = k.activity_id"


def terms_of(q: str) -> list[str]:
    return list(dict.fromkeys(words_of(q)))[:MOST_TERMS]


def expression(organization_id: str, terms: list[str]) -> Question:
    """The words an organisation uses that the terms stand for, as a tsquery; null where one stands for none."""
    parameters = {"organization_id": organization_id, "terms": terms}
    return Question(("activity_search",), _EXPRESSION, parameters)


def search(
    organization_id: str,
    terms: list[str],
    expression: str,
    filters: ActivityFilter,
    *,
    includes: frozenset[str] = frozenset(),
) -> Listing:
    """Activities that say every term, as a whole word, in part, or misspelt; the best of the newest first.

    Under filters the best of all that match are sought.
    """
    conditions = filters.conditions()
    return Listing(
        read_models=READ_MODELS,
        of=_MATCHES + (_WIDE if conditions else ""),
        key="s.activity_id",
        columns="%(organization_id)s::text as organization_id, s.activity_id",
        where=conditions or ["true"],
        parameters={
            "organization_id": organization_id,
            "expression": expression,
            "exact": " & ".join(f"'{term}'" for term in terms),
            "most": None if conditions else MOST_RANKED,
            **filters.parameters(),
        },
        sort=Sort("rank", "s.rank", "real", descending=True),
        shown=resource_sql(includes),
        page_alias="k",
        with_names=_NAMES + WITH_NAMES,
        extras=("l.subject", "l.document::json ->> 'description'"),
        total=None if conditions else _COUNT,
        identity={"terms": terms, **filters.parameters()},
    )


def words_in(expression: str) -> frozenset[str]:
    return frozenset(re.findall(r"'([^']+)'", expression))


def highlighted(item: str, found: frozenset[str], subject: str, description: str | None) -> str:
    """The item with `highlight`: HTML-escaped texts, the words found in <mark>."""
    marks = {
        "subject": marked(subject, found),
        "description": None if description is None else marked(description, found),
    }
    return f'{item[:-1]},"highlight":{to_json(marks).decode()}}}'


def marked(text: str, found: frozenset[str]) -> str:
    """The text HTML-escaped, with the words found in <mark>."""
    pieces, done = [], 0
    for match in _SPOKEN.finditer(text):
        if normalised(match.group())[:64] in found:
            pieces += [html.escape(text[done : match.start()]), "<mark>", html.escape(match.group()), "</mark>"]
            done = match.end()
    return "".join([*pieces, html.escape(text[done:])])


_SPOKEN = re.compile(rf"(?:{WORD.pattern}|[\u0300-\u036f])+")
"""A word as written: accents may stand beside their letters."""
