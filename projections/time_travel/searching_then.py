"""Search as of a moment: among the words that were known then, in the texts as they were then.

What the live tables' functions find among untouched activities is joined by what the others said then.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from application.postgres.migrations import SCHEMA
from projections.time_travel.shadows import TOUCHED, then_name, untouched, visible

LATE = "pg_temp.late"
"""Words that none of the touched activities said then, and how many of them say them now."""

_SAID = then_name("activity_search")
_LEARN = f"""
insert into {LATE} (word, n)
select w.word, count(*)
  from {TOUCHED} t
  join {SCHEMA}.activity_search s on s.organization_id = %(organization_id)s and s.activity_id = t.key
 cross join unnest(tsvector_to_array(s.words)) as w(word)
 group by w.word
"""
_KNOWN_THEN = f"delete from {LATE} where word in (select unnest(tsvector_to_array(words)) from {_SAID})"

_KNOWN = f"""not exists (select from {LATE} l where l.word = v.word
                  and l.n >= search_count(%(organization_id)s, quote_literal(v.word)::tsquery))"""
_CONTAINING = f"""
select array_agg(word) from (
    (select word from search_words v
      where organization_id = %(organization_id)s and word >= %(term)s and word like %(term)s || '%%' and {_KNOWN}
      order by word limit 64)
    union
    (select word from search_words v
      where organization_id = %(organization_id)s and length(%(term)s) >= 3 and word like '%%' || %(term)s || '%%'
        and {_KNOWN} limit 64)
) found
"""
_ALIKE = f"""
select array_agg(word) from (
    select word from search_words v
     where organization_id = %(organization_id)s and word %% %(term)s and {_KNOWN}
     order by similarity(word, %(term)s) desc, word limit 8
) alike
"""

FOUND = f"""said as materialized (
    select s.activity_id, s.rank
      from search_matches(%(organization_id)s, %(expression)s::tsquery, %(exact)s::tsquery,
                          %(most)s::int + (select count(*) from {TOUCHED})::int) s
     where {untouched("s.activity_id")}
    union all
    select a.activity_id, ts_rank(a.words, %(expression)s::tsquery) + ts_rank(a.words, %(exact)s::tsquery)
      from {_SAID} a
     where a.organization_id = %(organization_id)s and a.words @@ %(expression)s::tsquery and {visible("activity_id")}
), found as materialized (
    (select activity_id, rank, %(expression)s::text as expression, null::bigint as total
       from said order by activity_id desc limit %(most)s::int)
    union all
    select null, null, %(expression)s::text,
           search_count(%(organization_id)s, %(expression)s::tsquery)
           - (select count(*) from {TOUCHED} t
                join {SCHEMA}.activity_search s on s.organization_id = %(organization_id)s and s.activity_id = t.key
               where s.words @@ %(expression)s::tsquery)
           + (select count(*) from {_SAID} a
               where a.organization_id = %(organization_id)s and a.words @@ %(expression)s::tsquery
                 and {visible("activity_id")})
     where %(expression)s::text is not null
)"""
"""What search_page answers for now. A null expression finds nothing."""


def learn(connection: Connection[Any], organization_id: str) -> None:
    """Find the words that were not known then."""
    connection.execute(f"truncate {LATE}")
    connection.execute(_LEARN, {"organization_id": organization_id})
    connection.execute(_KNOWN_THEN)
    connection.execute(f"analyze {LATE}")


def meant(connection: Connection[Any], organization_id: str, terms: Sequence[str]) -> dict[str, str | None]:
    """The parameters of FOUND: what the terms stood for then; null where one stood for nothing."""
    every: list[str] = []
    for term in terms:
        asked = {"organization_id": organization_id, "term": term}
        words = _first(connection, _CONTAINING, asked) or _first(connection, _ALIKE, asked)
        if words is None:
            return {"expression": None, "exact": None}
        every.append(f"({' | '.join(map(_quoted, words))})")
    return {"expression": _tsquery(connection, " & ".join(every)), "exact": " & ".join(map(_quoted, terms))}


def _first(connection: Connection[Any], sql: str, asked: dict[str, Any]) -> list[str] | None:
    row = connection.execute(sql, asked).fetchone()
    return None if row is None else row[0]


def _tsquery(connection: Connection[Any], said: str) -> str:
    row = connection.execute("select %s::tsquery::text", (said,)).fetchone()
    assert row is not None  # a value always has one
    return str(row[0])


def _quoted(word: str) -> str:
    return f"'{word}'"
