"""A chapter of a history as JSON tells it: who, when, by which command, and what changed."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from application.history.chronicle import Chapter
from domain.vocabulary import RecordKind
from projections.differences import differences
from projections.directory.query import names
from projections.reading import Question


def actors_of(organization_id: str, chapters: Iterable[Chapter]) -> Question:
    """The names of those who acted."""
    actors = {chapter.metadata["actor"] for chapter in chapters}
    return names(organization_id, [record_key(RecordKind.USER, actor) for actor in actors])


def chapter_told(chapter: Chapter, named: Mapping[UUID, str]) -> dict[str, Any]:
    actor = chapter.metadata["actor"]
    return {
        "version": chapter.version,
        "position": chapter.position,
        "type": chapter.event.name,
        "recorded_at": chapter.recorded_at,
        "happened_at": chapter.happened_at,
        "actor": {"id": actor, "name": named.get(record_key(RecordKind.USER, actor))},
        "client": chapter.metadata.get("client"),
        "command_id": chapter.metadata.get("command_id"),
        "reason": getattr(chapter.event, "reason", None),
        "changes": differences(chapter.before, chapter.after),
    }
