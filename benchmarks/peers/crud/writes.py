"""Commands: each changes the row and adds an audit row in the same transaction."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.orm.attributes import set_committed_value

from api.http.bodies import Rescheduling
from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.answers import ActivityOut, One
from benchmarks.peers.crud.database import Db
from benchmarks.peers.crud.tables import Audit, Record
from benchmarks.peers.identity import Who
from domain.activity.drafts import ActivityChanges, Completion, NewActivity
from domain.lifecycle import TRANSITIONS, Action
from domain.vocabulary import RecordKind, Status

router = APIRouter(prefix="/activities")
_NOT_COLUMNS = {"priority", "duration_minutes", "create_follow_up", "status", "completed_at", "participants"}


@router.post("", status_code=201)
async def create(body: NewActivity, who: Who, db: Db) -> One[ActivityOut]:
    now = datetime.now(UTC)
    references = {
        "activityable": (body.activityable_type.value, body.activityable_id),
        "contact": (RecordKind.CONTACT.value, body.contact_id),
        "assigned_user": (RecordKind.USER.value, body.assigned_user_id or who.user_id),
        "created_by": (RecordKind.USER.value, who.user_id),
    }
    known = await _records(db, who, references)
    activity = Activity(
        id=uuid4(),
        organization_id=who.organization_id,
        version=1,
        status=Status.PENDING.value,
        created_by_id=who.user_id,
        created_at=now,
        updated_at=now,
        rescheduled_count=0,
        **_columns(body, exclude_unset=False) | {"assigned_user_id": references["assigned_user"][1]},
    )
    db.add(activity)
    await _kept(db, who, activity, "create", body)
    for name, record in known.items():
        set_committed_value(activity, name, record)
    return One(message="Activity created successfully", data=ActivityOut.model_validate(activity))


@router.post("/{activity_id}/reschedule")
async def reschedule(activity_id: UUID, body: Rescheduling, who: Who, db: Db) -> One[ActivityOut]:
    activity = await _locked(db, who, activity_id, Action.RESCHEDULE)
    if activity.due_at is not None and activity.due_at != body.new_due_at:
        activity.previous_due_at = activity.due_at
        activity.rescheduled_count += 1
        if body.update_reminder and activity.reminder_at is not None:
            activity.reminder_at += body.new_due_at - activity.due_at
    activity.due_at = body.new_due_at
    if body.priority is not None:
        activity.priority_rank = body.priority.rank
    return await _changed(db, who, activity, Action.RESCHEDULE, body)


@router.post("/{activity_id}/complete")
async def complete(activity_id: UUID, body: Completion, who: Who, db: Db) -> One[ActivityOut]:
    activity = await _locked(db, who, activity_id, Action.COMPLETE)
    activity.status = Status.COMPLETED.value
    activity.completed_at = body.completed_at or datetime.now(UTC)
    activity.outcome = body.outcome
    activity.actual_duration_minutes = body.duration_minutes
    activity.tags = list(dict.fromkeys([*activity.tags, *body.tags]))
    if body.follow_up_required is not None:
        activity.follow_up_required, activity.follow_up_date = body.follow_up_required, body.follow_up_date
    return await _changed(db, who, activity, Action.COMPLETE, body)


@router.patch("/{activity_id}")
async def patch(activity_id: UUID, body: ActivityChanges, who: Who, db: Db) -> One[ActivityOut]:
    activity = await _locked(db, who, activity_id, Action.UPDATE)
    for name, value in _columns(body, exclude_unset=True).items():
        setattr(activity, name, value)
    return await _changed(db, who, activity, Action.UPDATE, body)


async def _records(db: Db, who: Who, references: dict[str, tuple[str, str | None]]) -> dict[str, Record | None]:
    """The records referred to, by one select. Raises 422 for one that is not there (callers need none)."""
    asked = tuple_(Record.kind, Record.id).in_(list(references.values()))
    found = await db.scalars(select(Record).where(Record.organization_id == who.organization_id, asked))
    by_key: dict[tuple[str, str | None], Record] = {(record.kind, record.id): record for record in found}
    known = {name: by_key.get(key) for name, key in references.items()}
    for name, (_, id_) in references.items():
        if known[name] is None and id_ not in (None, who.user_id):
            raise HTTPException(422, f"{name}: related entity not found")
    return known


async def _locked(db: Db, who: Who, activity_id: UUID, action: Action) -> Activity:
    """The activity, locked until the commit. Raises 404, and 409 where the action is not allowed."""
    asked = select(Activity).where(
        Activity.id == activity_id,
        Activity.organization_id == who.organization_id,
        Activity.deleted_at.is_(None),
    )
    activity = await db.scalar(asked.with_for_update(of=Activity))
    if activity is None:
        raise HTTPException(404, "Activity not found")
    if action not in TRANSITIONS[Status(activity.status)]:
        raise HTTPException(409, f"{action} is not allowed while {activity.status}")
    return activity


async def _changed(db: Db, who: Who, activity: Activity, action: Action, body: BaseModel) -> One[ActivityOut]:
    activity.version += 1
    activity.updated_at = datetime.now(UTC)
    await _kept(db, who, activity, action, body)
    return One(message=f"Activity {action} successful", data=ActivityOut.model_validate(activity))


async def _kept(db: Db, who: Who, activity: Activity, action: str, body: BaseModel) -> None:
    changes = body.model_dump(mode="json", exclude_unset=True)
    db.add(
        Audit(
            organization_id=who.organization_id,
            activity_id=activity.id,
            actor=who.user_id,
            action=action,
            changes=changes,
        )
    )
    await db.commit()


def _columns(body: NewActivity | ActivityChanges, *, exclude_unset: bool) -> dict[str, Any]:
    """The columns a body speaks of."""
    said = body.model_dump(exclude_unset=exclude_unset, exclude=_NOT_COLUMNS)
    names = body.model_fields_set if exclude_unset else set(type(body).model_fields)
    if "priority" in names and body.priority is not None:
        said["priority_rank"] = body.priority.rank
    if "duration_minutes" in names:
        said["planned_duration_minutes"] = body.duration_minutes
    if "participants" in names:
        said["participants"] = [person.model_dump(exclude_none=True) for person in body.participants or ()]
    return said
