"""The history of one stream, whatever it is of: every fact, the oldest first."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from starlette.responses import Response

from api.http.chapters import actors_of, chapter_told
from api.http.envelope import enveloped, ok
from api.http.reading import Asking, lag
from application.history.chronicle import STREAM, Chapter, chronicle
from domain.refusals import Unknown
from projections.reading import Question
from projections.resource import to_json

LONG = 50
"""Facts beyond which a story is told in a thread: others must not wait for it."""


async def history_of(ask: Asking, key: UUID, noun: str) -> Response:
    """Who did what, when, by which command, and what it changed. Raises Unknown where nothing was recorded."""
    chapters = await chapters_of(ask, key)
    if not chapters:
        raise Unknown(noun)
    return await told(ask, chapters, f"{noun} history retrieved successfully")


async def chapters_of(ask: Asking, key: UUID) -> list[Chapter]:
    found = await ask.ask(Question((), STREAM, {"organization_id": ask.organization_id, "key": key}))
    if len(found.rows) <= LONG:
        return list(chronicle(found.rows))
    return await asyncio.to_thread(lambda: list(chronicle(found.rows)))


async def told(ask: Asking, chapters: Sequence[Chapter], message: str) -> Response:
    known = await ask.ask(actors_of(ask.organization_id, chapters))
    names: dict[UUID, str] = dict(known.rows)

    def said() -> bytes:
        return to_json([chapter_told(chapter, names) for chapter in chapters])

    body = said() if len(chapters) <= LONG else await asyncio.to_thread(said)
    return ok(enveloped(message, body), lag(known.behind))
