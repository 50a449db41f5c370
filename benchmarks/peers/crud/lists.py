"""Lists: filtered, page by page with an exact total, or by cursor; and what is late."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Select, func, select, tuple_

from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.answers import ActivityOut, LateOut, Many, Meta, Page, PerPage
from benchmarks.peers.crud.database import Db
from benchmarks.peers.crud.indexes import CAN_BE_LATE
from benchmarks.peers.identity import Who
from domain.vocabulary import ActivityType, Priority, Status

router = APIRouter()


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: ActivityType | None = None
    status: Status | None = None
    priority: Priority | None = None
    assigned_user_id: str | None = None
    tags: str | None = None
    page: Page = 1
    per_page: PerPage = 25
    cursor: str | None = None

    def conditions(self, organization_id: str) -> list[ColumnElement[bool]]:
        asked: list[tuple[Any, Any]] = [
            (self.type, Activity.type == self.type),
            (self.status, Activity.status == self.status),
            (self.priority, Activity.priority_rank == (self.priority.rank if self.priority else 0)),
            (self.assigned_user_id, Activity.assigned_user_id == self.assigned_user_id),
            (self.tags, Activity.tags.overlap((self.tags or "").split(","))),
        ]
        there = [Activity.organization_id == organization_id, Activity.deleted_at.is_(None)]
        return there + [condition for wanted, condition in asked if wanted is not None]


Wanted = Annotated[Filters, Query()]


@router.get("/activities")
async def list_activities(who: Who, db: Db, wanted: Wanted) -> Many[ActivityOut]:
    conditions = wanted.conditions(who.organization_id)
    found, meta = await page(db, select(Activity).where(*conditions), conditions, wanted)
    data = [ActivityOut.model_validate(activity) for activity in found]
    return Many(message="Activities retrieved successfully", data=data, meta=meta)


@router.get("/activities/overdue")
async def list_overdue(who: Who, db: Db, wanted: Wanted) -> Many[LateOut]:
    now = datetime.now(UTC)
    late: list[Any] = [*wanted.conditions(who.organization_id), CAN_BE_LATE, Activity.due_at < now]
    found, meta = await page(db, select(Activity).where(*late), late, wanted)
    data = [LateOut.model_validate(activity) for activity in found]
    return Many(message="Overdue activities retrieved successfully", data=data, meta=meta)


async def page(
    db: Db, asked: Select[Activity], conditions: Sequence[Any], wanted: Filters
) -> tuple[Sequence[Activity], Meta]:
    """The rows of a page and what is said of it."""
    asked = asked.order_by(Activity.due_at, Activity.id).limit(wanted.per_page)
    if wanted.cursor is not None:
        found = await _after(db, asked, wanted)
        return found, Meta(per_page=wanted.per_page, next_cursor=_cursor(found[-1]) if found else None)
    total = await db.scalar(select(func.count()).select_from(Activity).where(*conditions)) or 0
    found = (await db.scalars(asked.offset((wanted.page - 1) * wanted.per_page))).all()
    last = max(1, -(-total // wanted.per_page))
    following = _cursor(found[-1]) if found and wanted.page < last else None
    return found, Meta(
        per_page=wanted.per_page, current_page=wanted.page, total=total, last_page=last, next_cursor=following
    )


def _cursor(last: Activity) -> str:
    due = last.due_at.isoformat() if last.due_at else None
    return base64.urlsafe_b64encode(json.dumps([due, str(last.id)]).encode()).decode()


async def _after(db: Db, asked: Select[Activity], wanted: Filters) -> Sequence[Activity]:
    """The rows after the cursor's: those with a due date by the index, then those without."""
    due, id_ = json.loads(base64.urlsafe_b64decode(wanted.cursor or ""))
    undated = Activity.due_at.is_(None)
    if due is None:
        return (await db.scalars(asked.where(undated, Activity.id > id_))).all()
    later = tuple_(Activity.due_at, Activity.id) > (datetime.fromisoformat(due), id_)
    found = (await db.scalars(asked.where(later))).all()
    if len(found) == wanted.per_page:
        return found
    return [*found, *(await db.scalars(asked.where(undated).limit(wanted.per_page - len(found)))).all()]
