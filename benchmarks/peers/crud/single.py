"""GET of one activity."""

from uuid import UUID

from fastapi import APIRouter, HTTPException
from sqlalchemy import select

from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.answers import ActivityOut, One
from benchmarks.peers.crud.database import Db
from benchmarks.peers.identity import Who

router = APIRouter()


@router.get("/activities/{activity_id}")
async def get_activity(activity_id: UUID, who: Who, db: Db) -> One[ActivityOut]:
    asked = select(Activity).where(
        Activity.id == activity_id,
        Activity.organization_id == who.organization_id,
        Activity.deleted_at.is_(None),
    )
    activity = await db.scalar(asked)
    if activity is None:
        raise HTTPException(404, "Activity not found")
    return One(message="Activity retrieved successfully", data=ActivityOut.model_validate(activity))
