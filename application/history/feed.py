"""An organisation's log as it is told to auditors: every fact from a position on, in order, none left out.

Positions are dense and in the order of commits, with nothing in flight behind them: whoever has read up to a
position has read everything up to it, and goes on after it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.event_store.mapper import plain
from application.event_store.sealing import Tampered
from application.ulids import ulid_of

MOST_BYTES = 1024 * 1024
"""Of facts in one stretch, but for the last of them: what one reader holds in memory at a time."""

FEED = f"""
select h.position, e.position, e.originator_id, e.originator_version, e.topic, e.state, e.metadata, e.recorded_at,
       first.state
  from (select coalesce(max(position), 0) as position from heads where organization_id = %(organization_id)s) h
  left join (
    select s.*, sum(octet_length(s.state)) over (order by s.position) - octet_length(s.state) as before
      from (select * from events
             where organization_id = %(organization_id)s and position > %(after)s
             order by position limit %(limit)s) s
  ) e on e.before < {MOST_BYTES}
  left join events first
    on first.organization_id = %(organization_id)s and first.originator_id = e.originator_id
   and first.originator_version = 1 and e.originator_version > 1 and e.topic like 'record.%%'
 order by e.position
"""
"""SQL of the rows a stretch is told from. There is one at least, which says where the log ends."""

_SECRET = {"secret_hmac"}
"""What API keys are recognised by: stored for the service, and for nobody else."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as it stands in the log. `data` is what was stored, null where that is no JSON object."""

    position: int
    stream_id: UUID
    kind: str
    id: str
    record_kind: str | None
    version: int
    type: str
    recorded_at: datetime
    metadata: Mapping[str, str]
    data: Mapping[str, Any] | None

    @property
    def happened_at(self) -> datetime | str:
        """When it happened, which may be long before it was recorded."""
        return (self.data or {}).get("completed_at") or self.recorded_at


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of the log, and where the log ended when it was read."""

    entries: list[Entry]
    head: int

    def reaches(self, after: int) -> int:
        """The position up to which everything is known to one who had read up to `after`."""
        return self.entries[-1].position if self.entries else after


def stretch_of(rows: list[tuple[Any, ...]]) -> Stretch:
    """What the rows of FEED say."""
    return Stretch([entry_of(*row[1:]) for row in rows if row[1] is not None], rows[0][0])


def entry_of(
    position: int,
    key: UUID,
    version: int,
    topic: str,
    state: bytes,
    metadata: Mapping[str, str],
    recorded_at: datetime,
    first: bytes | None,
) -> Entry:
    """The entry a stored row is. `first` is what the first fact of a record's stream says."""
    kind = topic.partition(".")[0]
    born = (_said(state if first is None else first) or {}) if kind == "record" else {}
    id_, record_kind = born.get("id") or ulid_of(key), born.get("kind")
    return Entry(position, key, kind, id_, record_kind, version, topic, recorded_at, metadata, _said(state))


def _said(state: bytes) -> dict[str, Any] | None:
    """What was stored, without what is nobody's to see. Even a fact this version does not know is told."""
    try:
        said = json.loads(plain(state))
    except (ValueError, Tampered):
        return None
    return {name: value for name, value in said.items() if name not in _SECRET} if isinstance(said, dict) else None
