"""The indexes a good engineer would add for the questions that are asked; made once the tables are filled."""

from sqlalchemy import Index, and_, text

from benchmarks.peers.crud.activity import Activity
from benchmarks.peers.crud.tables import Audit

CAN_BE_LATE = text("activities.status in ('pending', 'in_progress', 'waiting')")
_THERE = Activity.deleted_at.is_(None)
_organization, _due, _id = Activity.organization_id, Activity.due_at, Activity.id
_wanted = (_organization, Activity.status, Activity.priority_rank, _due, _id)

INDEXES = (
    Index("activities_due", _organization, _due, _id, postgresql_where=_THERE),
    Index("activities_created", _organization, Activity.created_at, _id, postgresql_where=_THERE),
    Index("activities_wanted", *_wanted, postgresql_where=_THERE),
    Index("activities_of_user", _organization, Activity.assigned_user_id, _due, postgresql_where=_THERE),
    Index("activities_of_record", _organization, Activity.activityable_type, Activity.activityable_id),
    Index("activities_late", _organization, _due, _id, postgresql_where=and_(_THERE, CAN_BE_LATE)),
    Index("activities_words", Activity.words, postgresql_using="gin"),
    Index("activities_alike", Activity.subject, postgresql_using="gin", postgresql_ops={"subject": "gin_trgm_ops"}),
    Index("audit_of_activity", Audit.organization_id, Audit.activity_id, Audit.at),
)
