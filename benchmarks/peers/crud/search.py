"""Search: PostgreSQL full text with prefixes; where that finds nothing, words spelt alike (pg_trgm)."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, literal, select

from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.answers import FoundOut, Highlight, Many, Meta
from benchmarks.peers.crud.database import Db
from benchmarks.peers.crud.lists import Filters
from benchmarks.peers.identity import Who

router = APIRouter()
_MARKS = "StartSel=<mark>, StopSel=</mark>, HighlightAll=true"


class Asked(Filters):
    q: Annotated[str, Field(min_length=2, max_length=256)]

    def words(self) -> list[str]:
        return re.findall(r"[^\W_]+", self.q.lower())


@router.get("/activities/search")
async def search(who: Who, db: Db, asked: Annotated[Asked, Query()]) -> Many[FoundOut]:
    conditions = asked.conditions(who.organization_id)
    query = func.to_tsquery("simple", " & ".join(f"{word}:*" for word in asked.words()))
    said = [*conditions, Activity.words.op("@@")(query)]
    total = await _count(db, said)
    rank: ColumnElement[Any] = func.ts_rank(Activity.words, query)
    if not total:
        said = [*conditions, literal(asked.q).op("<%")(Activity.subject)]
        total = await _count(db, said)
        rank = func.word_similarity(asked.q, Activity.subject)
    rows = await _rows(db, said, rank, query, asked)
    meta = Meta(per_page=asked.per_page, current_page=asked.page, total=total, last_page=-(-total // asked.per_page))
    return Many(message="Activities found successfully", data=[_shown(row) for row in rows], meta=meta)


async def _count(db: Db, said: Sequence[ColumnElement[bool]]) -> int:
    return await db.scalar(select(func.count()).select_from(Activity).where(*said)) or 0


async def _rows(
    db: Db, said: Sequence[ColumnElement[bool]], rank: ColumnElement[Any], query: ColumnElement[Any], asked: Asked
) -> Sequence[Row[Any]]:
    """The best of them; only what is on the page has its matches marked."""
    best = (
        select(Activity.id, rank.label("rank"))
        .where(*said)
        .order_by(rank.desc(), Activity.id)
        .limit(asked.per_page)
        .offset((asked.page - 1) * asked.per_page)
        .subquery()
    )
    marked = [func.ts_headline("simple", text, query, _MARKS) for text in (Activity.subject, Activity.description)]
    rows = await db.execute(
        select(Activity, *marked).join(best, best.c.id == Activity.id).order_by(best.c.rank.desc(), Activity.id)
    )
    return rows.all()


def _shown(row: Any) -> FoundOut:
    activity, subject, description = row
    activity.highlight = Highlight(subject=subject, description=description)
    return FoundOut.model_validate(activity)
