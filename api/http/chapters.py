"""A chapter of an activity's history as JSON tells it: who, when, by which command, and what changed."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from application.history.chronicle import Chapter
from domain.activity.activity import Activity
from domain.vocabulary import RecordKind
from projections.directory.query import names
from projections.reading import Question
from projections.resource import fields_of

_FOLLOWS = {"version", "updated_at", "allowed_actions", "duration_minutes"}
"""Fields that follow from the others: a change of theirs would say everything twice."""


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
        "changes": _changes(chapter),
    }


def _changes(chapter: Chapter) -> dict[str, Any]:
    """Field by field, what it was and what it became."""
    before = fields_of(chapter.before) if isinstance(chapter.before, Activity) else {}
    after = fields_of(chapter.after) if isinstance(chapter.after, Activity) else {}
    return {
        name: {"before": before.get(name), "after": value}
        for name, value in after.items()
        if name not in _FOLLOWS and before.get(name) != value
    }
