"""412 with what came between: who did what to the activity since the version the caller knew."""

from api.http.chapters import actors_of, chapter_told
from api.http.problems import Problem
from application.history.chronicle import STREAM, chronicle
from application.refusals import StaleVersion
from projections.reading import Question, Reader


async def changed_since(reader: Reader, organization_id: str, stale: StaleVersion) -> Problem:
    """The problem of a stale If-Match. A tag that never was one of ours tells the whole story."""
    wanted = {"organization_id": organization_id, "key": stale.subject}
    found = await reader.ask(organization_id, Question((), STREAM, wanted))
    chapters = [c for c in chronicle(found.rows) if stale.expected < c.version <= stale.actual]
    known = await reader.ask(organization_id, actors_of(organization_id, chapters))
    events = [chapter_told(chapter, dict(known.rows)) for chapter in chapters]
    return Problem(stale.code, stale.message, current_version=stale.actual, events=events)
