"""The question search answers: where are these words said, best match first, with the places marked."""

import html
import re

from projections.activity_search.words import WORD, normalised, words_of
from projections.filters import ActivityFilter
from projections.paging import Listing, Sort
from projections.resource import WITH_NAMES, resource_sql, to_json

READ_MODELS = ("activity_search", "activity_list", "directory")
MOST_TERMS = 16

_OF = """activity_search s
  join activity_list l on l.organization_id = s.organization_id and l.activity_id = s.activity_id
 cross join (
    select search_expression(%(organization_id)s, %(terms)s) as expression, %(exact)s::tsquery as exact
  ) asked"""
_RANK = "(ts_rank(s.words, asked.expression) + ts_rank(s.words, asked.exact))"
_WHERE = ("s.organization_id = %(organization_id)s", "s.words @@ asked.expression", "l.deleted_at is null")


def search(
    organization_id: str, q: str, filters: ActivityFilter, *, includes: frozenset[str] = frozenset()
) -> Listing:
    """Activities that say every word of `q`, as a whole word, in part, or misspelt. Signs alone find nothing."""
    terms = list(dict.fromkeys(words_of(q)))[:MOST_TERMS]
    exact = " & ".join(f"'{term}'" for term in terms)
    parameters = {"organization_id": organization_id, "terms": terms, "exact": exact, **filters.parameters()}
    return Listing(
        read_models=READ_MODELS,
        of=_OF,
        key="s.activity_id",
        columns="l.*, asked.expression",
        where=[*_WHERE, *filters.conditions()],
        parameters=parameters,
        sort=Sort("rank", _RANK, "real", descending=True),
        shown=resource_sql(includes),
        with_names=WITH_NAMES,
        extras=("l.subject", "l.document::json ->> 'description'", "l.expression::text"),
        identity={"q": q, **filters.parameters()},
    )


def highlighted(item: str, subject: str, description: str | None, expression: str) -> str:
    """The item with `highlight`: HTML-escaped texts, the words that matched in <mark>."""
    found = frozenset(re.findall(r"'([^']+)'", expression))
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
