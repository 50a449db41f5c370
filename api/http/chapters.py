"""A chapter of a history as JSON tells it: who, when, by which command, and what changed."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from application.event_store.mapper import record_key
from application.history.chronicle import Chapter
from domain.vocabulary import RecordKind
from projections.differences import differences
from projections.directory.query import names
from projections.reading import Question


class Acted(Protocol):
    """A fact somebody caused."""

    @property
    def metadata(self) -> Mapping[str, str]: ...


def actors_of(organization_id: str, facts: Iterable[Acted]) -> Question:
    """The names of those who acted."""
    actors = {fact.metadata["actor"] for fact in facts}
    return names(organization_id, [record_key(RecordKind.USER, actor) for actor in actors])


def chapter_told(chapter: Chapter, named: Mapping[UUID, str]) -> dict[str, Any]:
    return circumstances_told(chapter, named) | {"changes": differences(chapter.before, chapter.after)}


def circumstances_told(chapter: Chapter, named: Mapping[UUID, str]) -> dict[str, Any]:
    """All but what it changed."""
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
    }
