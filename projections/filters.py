"""Which activities a list is of: what callers may filter by, and the SQL of it. Columns are of activity_list l."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.vocabulary import CLOSED, OPEN, Status

OVERDUE = "overdue"
_GROUPS = {"open": OPEN, "closed": CLOSED}
_OPEN = "l.status in ('pending', 'in_progress', 'deferred', 'waiting')"
"""Said in the words of the partial index of open activities, which are few among all there ever were."""
_IS_OVERDUE = "(l.due_at < now() and l.status in ('pending', 'in_progress', 'waiting'))"


Columns = Mapping[str, tuple[str, str]]
"""The column each of some filters narrows, and its type."""


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """Each set filter narrows the list; within one, any value will do."""

    types: Sequence[str] = ()
    statuses: Sequence[str] = ()
    priorities: Sequence[int] = ()
    assignees: Sequence[UUID] = ()
    related_types: Sequence[str] = ()
    related: Sequence[UUID] = ()
    contacts: Sequence[UUID] = ()
    tags: Sequence[str] = ()
    due_from: datetime | None = None
    due_until: datetime | None = None
    due_before: datetime | None = None
    text: str | None = None
    account: UUID | None = None

    def conditions(self) -> list[str]:
        asked = self.one_of(_ONE_OF)
        asked += [sql for name, sql in _CONDITIONS.items() if getattr(self, name) not in ((), None)]
        if self.statuses:
            asked.append(self._status())
        if self.open_only:
            asked.append(_OPEN)
        return asked

    def one_of(self, columns: Columns) -> list[str]:
        """The conditions of those of these filters that are set. Rows of one value come out of an index in the order
        of what follows it, which those of any() do not."""
        asked = ((name, *column, len(getattr(self, name))) for name, column in columns.items() if getattr(self, name))
        return [
            f"{column} = (%({name})s::{type_}[])[1]" if count == 1 else f"{column} = any(%({name})s)"
            for name, column, type_, count in asked
        ]

    def only(self, *names: str) -> bool:
        """Whether nothing but these narrows the list; overdue depends on the time, so it is never among them."""
        others = (f.name for f in fields(self) if f.name not in names)
        return OVERDUE not in self.statuses and all(getattr(self, name) in ((), None) for name in others)

    @property
    def open_only(self) -> bool:
        """Whether every activity that matches is open."""
        stored = self._stored_statuses() + ([Status.PENDING] if OVERDUE in self.statuses else [])
        return bool(stored) and all(status in OPEN for status in stored)

    def parameters(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if value not in ((), None):
                values[f.name] = list(value) if isinstance(value, tuple | list) else value
        if self.text is not None:
            values["text"] = f"%{_escaped(self.text.casefold())}%"
        if self.statuses:
            values["statuses"] = self._stored_statuses()
        return values

    def _stored_statuses(self) -> list[str]:
        stored: list[str] = []
        for status in self.statuses:
            stored += _GROUPS.get(status, [status])
        return [str(status) for status in stored if status != OVERDUE]

    def _status(self) -> str:
        one_of = "l.status = any(%(statuses)s)"
        return f"({one_of} or {_IS_OVERDUE})" if OVERDUE in self.statuses else one_of


_ONE_OF: Columns = {
    "types": ("l.type", "text"),
    "priorities": ("l.priority", "smallint"),
    "assignees": ("l.assignee_key", "uuid"),
    "related_types": ("l.related_type", "text"),
    "related": ("l.related_key", "uuid"),
    "contacts": ("l.contact_key", "uuid"),
}
_CONDITIONS: Mapping[str, str] = {
    "tags": "l.tags && %(tags)s",
    "due_from": "l.due_at >= %(due_from)s",
    "due_until": "l.due_at <= %(due_until)s",
    "due_before": "l.due_at < %(due_before)s",
    "text": "l.words like %(text)s",
    "account": """l.related_key = any(array(
        select %(account)s::uuid union all
        select d.record_key from directory d
         where d.organization_id = %(organization_id)s and d.account_key = %(account)s))""",
}


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
