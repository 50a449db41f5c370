"""Search as of a moment: among the words that were known then, in the texts as they were then.

What the live tables' functions find among untouched activities is joined by what the others said then.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from application.postgres.migrations import SCHEMA
from projections.time_travel.shadows import TOUCHED, then_name, untouched, visible

SINCE = "pg_temp.since"
"""By how many more activities, of those touched, each word is said now than then; what was said more then may be
unknown now, or never have been known to the tables."""

_SAID = then_name("activity_search")
_LEARN = f"""
insert into {SINCE} (word, n)
select w.word, sum(w.n)
  from (
    select unnest(tsvector_to_array(s.words)) as word, 1 as n
      from {TOUCHED} t
      join {SCHEMA}.activity_search s on s.organization_id = %(organization_id)s and s.activity_id = t.key
    union all
    select unnest(tsvector_to_array(words)), -1 from {_SAID}
  ) w
 group by w.word
"""

_KNOWN = f"""exists (
    select from word_totals v
     where v.organization_id = %(organization_id)s and v.word = found.word
       and v.n > coalesce((select s.n from {SINCE} s where s.word = v.word), 0))"""
_LAST = "%(term)s || chr(1114111)"
_KEYS = "array(select key from word_keys_of(%(term)s) as key where starts_with(key, '-'))"
_CONTAINING = f"""
select array_agg(word) from (
    (select word from word_totals found
      where organization_id = %(organization_id)s and word >= %(term)s and word < {_LAST} and {_KNOWN}
      order by word limit 64)
    union
    (select word from word_keys found
      where organization_id = %(organization_id)s and length(%(term)s) >= 3 and key >= %(term)s and key < {_LAST}
        and {_KNOWN}
      order by key, word limit 64)
    union
    (select word from {SINCE}
      where n < 0 and (word like %(term)s || '%%' or length(%(term)s) >= 3 and word like '%%' || %(term)s || '%%')
      order by word limit 64)
) words
"""
_NEAR = f"""
select array_agg(word) from (
    select word from (
        select word from word_keys found
         where organization_id = %(organization_id)s and key = any({_KEYS}) and {_KNOWN}
         union
        select word from {SINCE}
         where n < 0 and length(word) between length(%(term)s) - 1 and length(%(term)s) + 1
           and exists (select from word_keys_of(word) as key where key = any({_KEYS}))
    ) near
     order by similarity(word, %(term)s) desc, word limit 8
) words
"""
_ALIKE = f"""
select array_agg(word) from (
    select word from (
        select word from word_totals found where organization_id = %(organization_id)s and word %% %(term)s and {_KNOWN}
         union
        select word from {SINCE} where n < 0 and word %% %(term)s
    ) alike
     order by similarity(word, %(term)s) desc, word limit 8
) words
"""
"""What search_expression asks for now, one after the other."""

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
    """Find how often each word was said then."""
    connection.execute(f"truncate {SINCE}")
    connection.execute(_LEARN, {"organization_id": organization_id})
    connection.execute(f"analyze {SINCE}")


def meant(connection: Connection[Any], organization_id: str, terms: Sequence[str]) -> dict[str, str | None]:
    """The parameters of FOUND: what the terms stood for then; null where one stood for nothing."""
    every: list[str] = []
    for term in terms:
        asked = {"organization_id": organization_id, "term": term}
        words = next(filter(None, (_first(connection, sql, asked) for sql in (_CONTAINING, _NEAR, _ALIKE))), None)
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
