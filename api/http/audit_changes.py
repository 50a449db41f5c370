"""GET /audit/changes: who changed what in the organisation between two moments."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic import WithJsonSchema as SchemaIs
from starlette.responses import Response

from api.http.audit_feed import placed
from api.http.audit_parameters import LogPosition
from api.http.chapters import actors_of
from api.http.envelope import enveloped, ok
from api.http.parameters import Commas, PerPage, References
from api.http.reading import Asking, Asks, lag
from api.http.strict_route import StrictRoute
from api.http.time_parameters import LogMoment, log_moment_of
from application.activity.commands import key_or_none
from application.event_store.mapper import EVENTS, State, record_key
from application.history.changes import STREAMS, Change, Wanted, at_instant, changes_of
from application.history.moments import Position
from domain.activity.activity import Activity
from domain.refusals import Invalid
from domain.vocabulary import RecordKind, RelatedType
from projections.differences import differences
from projections.reading import Question
from projections.resource import to_json

ULID_PATTERN = "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"
MOST_LOOKED_AT = 5000
"""Facts that one page looks at, where most of them are of other records."""
_END = 2**63 - 1

router = APIRouter(route_class=StrictRoute, tags=["audit"])
Audits = Annotated[Asking, Depends(Asks("audit:read"))]

_KINDS = sorted({*EVENTS, *(name.partition(".")[0] for name in EVENTS), *(n.rpartition(".")[0] for n in EVENTS)})
EventKind = Annotated[str, SchemaIs({"type": "string", "enum": _KINDS})]


class ChangesParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start: LogMoment | None = Field(None, alias="from")
    end: LogMoment | None = Field(None, alias="to")
    actor_id: References = []
    type: Annotated[list[EventKind], Commas] = []
    activity_id: Annotated[str, Field(max_length=64), SchemaIs({"type": "string", "pattern": ULID_PATTERN})] | None = (
        None
    )
    activityable_type: Annotated[list[RelatedType], Commas] = []
    activityable_id: References = []
    per_page: PerPage = 25
    cursor: LogPosition | None = None

    def wanted(self) -> Wanted:
        """Raises Invalid for a kind of event there is not, and for an id that no activity can have."""
        if unknown := [kind for kind in self.type if kind not in _KINDS]:
            raise Invalid("type", f"{unknown[0][:64]} is no kind of event")
        topics = tuple(t for t in EVENTS if any(t == kind or t.startswith(f"{kind}.") for kind in self.type))
        stream = None
        if self.activity_id is not None and (stream := key_or_none(self.activity_id)) is None:
            raise Invalid("activity_id", "must be a ULID")
        return Wanted(topics, tuple(self.actor_id), stream)

    def related(self) -> "Related | None":
        if not self.activityable_type and not self.activityable_id:
            return None
        kinds = self.activityable_type or list(RelatedType)
        keys = {record_key(kind, id_) for kind in kinds for id_ in self.activityable_id}
        return Related(frozenset(kinds), frozenset(keys))


class Related:
    """Changes of some records themselves, and of activities that are, or were until the change, about one of them."""

    def __init__(self, kinds: frozenset[RelatedType], keys: frozenset[UUID]) -> None:
        self._kinds, self._keys = kinds, keys

    def __call__(self, change: Change) -> bool:
        if change.entry.kind == "record":
            kind = change.entry.record_kind
            return change.entry.stream_id in self._keys if self._keys else kind in self._kinds
        return self._about(change.before) or self._about(change.after)

    def _about(self, state: State | None) -> bool:
        if not isinstance(state, Activity):
            return False
        if not self._keys:
            return state.activityable_type in self._kinds
        return record_key(state.activityable_type, state.activityable_id) in self._keys


@router.get("/audit/changes")
async def list_audit_changes(ask: Audits, wanted: Annotated[ChangesParameters, Query()]) -> Response:
    """Who changed what after one moment and up to another, oldest first, each with the values before and after."""
    after, upto = await _window(ask, wanted)
    found, reached = await _page(ask, wanted, max(after, wanted.cursor or 0), upto)
    known = await ask.ask(actors_of(ask.organization_id, (change.entry for change in found)))
    names: dict[UUID, str] = dict(known.rows)
    meta = {"per_page": wanted.per_page, "next_cursor": None if reached is None else str(reached)}
    data = to_json([change_told(change, names) for change in found])
    return ok(enveloped("Audit changes retrieved successfully", data, meta=meta), lag(known.behind))


async def _window(ask: Asking, wanted: ChangesParameters) -> tuple[int, int]:
    start = await position_at(ask, log_moment_of("from", wanted.start))
    end = await position_at(ask, log_moment_of("to", wanted.end))
    if start is not None and end is not None and start > end:
        raise Invalid("from", "must not be later than to")
    return start or 0, _END if end is None else end


async def position_at(ask: Asking, moment: datetime | Position | None) -> int | None:
    """How far the log had come."""
    if isinstance(moment, datetime):
        found = await ask.ask(Question((), *at_instant(ask.organization_id, moment)))
        return int(found.rows[0][0])
    return None if moment is None else moment.number


async def _page(ask: Asking, wanted: ChangesParameters, after: int, upto: int) -> tuple[list[Change], int | None]:
    """The changes of a page, and the position to go on after; None where there is nothing more."""
    facts, related = wanted.wanted(), wanted.related()
    found: list[Change] = []
    looked_at, size = 0, wanted.per_page if related is None else 500
    while looked_at < MOST_LOOKED_AT:
        rows = (await ask.ask(Question((), *facts.facts(ask.organization_id, after, upto, size + 1)))).rows
        more, rows = len(rows) > size, rows[:size]
        if not rows:
            return found, None
        changes = await _changes(ask, rows)
        for change in changes:
            if related is None or related(change):
                found.append(change)
            after = change.entry.position
            if len(found) == wanted.per_page:
                return found, after if more or after < rows[-1][0] else None
        if not more:
            return found, None
        looked_at += len(rows)
    return found, after


async def _changes(ask: Asking, facts: list[tuple[Any, ...]]) -> list[Change]:
    positions = frozenset(position for position, _ in facts)
    keys = list({key for _, key in facts})
    streams = {"organization_id": ask.organization_id, "keys": keys, "upto": max(positions)}
    rows = (await ask.ask(Question((), STREAMS, streams))).rows
    return await asyncio.to_thread(changes_of, rows, positions)


def change_told(change: Change, named: Mapping[UUID, str]) -> dict[str, Any]:
    entry = change.entry
    actor = entry.metadata["actor"]
    return {
        **placed(entry),
        "actor": {"id": actor, "name": named.get(record_key(RecordKind.USER, actor))},
        "reason": (entry.data or {}).get("reason"),
        "changes": differences(change.before, change.after) if change.told else None,
    }
