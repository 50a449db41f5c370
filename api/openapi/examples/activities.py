"""Activities: the bodies of the SynthesQ guide, word for word, and the full resource they lead to."""

from typing import Any

Json = dict[str, Any]

CALL_ID = "01KCPY6Q0V8M2T4X6Z9B1D3F5G"
NOTE_ID = "01KCPZ1A2B3C4D5E6F7G8H9J0K"
NEXT_ID = "01KCQ03M5N7P9R1S3T5V7W9X1Y"

CREATE: Json = {
    "schedule_a_call": {
        "type": "call",
        "subject": "Follow-up Call - Proposal Discussion",
        "description": "Discuss proposal feedback, answer questions about pricing and implementation timeline. "
        "Focus on addressing concerns about legacy system integration.",
        "activityable_type": "opportunity",
        "activityable_id": "01hwxyz823abc456def789ghi0",
        "contact_id": "01hwxyz123abc456def789ghi0",
        "assigned_user_id": "01hwxyz623abc456def789ghi0",
        "due_at": "2025-12-20T14:00:00Z",
        "duration_minutes": 30,
        "priority": "high",
        "location": "Phone",
        "reminder_at": "2025-12-20T13:45:00Z",
        "follow_up_required": True,
        "follow_up_date": "2025-12-23",
        "tags": ["proposal-discussion", "pricing-questions"],
        "custom_fields": {"call_purpose": "proposal_follow_up", "expected_outcome": "address_concerns"},
    },
    "log_what_is_done": {
        "type": "note",
        "subject": "QBR Action Items - Customer 575",
        "activityable_type": "customer",
        "activityable_id": "01hwxyz523abc456def789ghi0",
        "status": "completed",
        "description": "Action items from QBR:\n1. Arrange advanced features training (Owner: Customer Success)\n"
        "2. Discuss expansion to 3 additional departments (Owner: Sales)\n"
        "3. Send premium support tier information (Owner: Sales)\n"
        "4. Follow up on API integration questions (Owner: Technical Support)\n"
        "5. Next QBR scheduled for March 2026",
        "tags": ["action-items", "qbr"],
        "completed_at": "2025-12-20T16:00:00Z",
    },
    "billable_with_participants": {
        "type": "training",
        "subject": "Advanced Features Training",
        "activityable_type": "customer",
        "activityable_id": "01hwxyz523abc456def789ghi0",
        "due_at": "2026-01-14T09:00:00+01:00",
        "duration_minutes": 90,
        "is_billable": True,
        "billable_rate": 150.00,
        "currency": "EUR",
        "participants": [
            "01hwxyz623abc456def789ghi0",
            {"kind": "contact", "id": "01hwxyz123abc456def789ghi0", "role": "required", "rsvp": "accepted"},
            {"kind": "external", "name": "Kim Trainer", "email": "kim@training.example"},
        ],
        "attachment_urls": ["https://files.example/agenda.pdf"],
    },
    "as_little_as_possible": {
        "type": "task",
        "subject": "Arrange Advanced Features Training",
        "activityable_type": "customer",
        "activityable_id": "01hwxyz523abc456def789ghi0",
    },
}
CHANGE: Json = {
    "move_and_extend": {
        "due_at": "2025-12-20T15:00:00Z",
        "duration_minutes": 45,
        "description": "Extended call to include technical discussion with IT team. "
        "Now includes integration architect.",
        "tags": ["proposal-discussion", "pricing-questions", "technical-review"],
    },
    "clear_a_field": {"location": None},
    "change_the_status": {"status": "in_progress"},
}
COMPLETE: Json = {
    "with_outcome_and_follow_up": {
        "outcome": "Successful call. Addressed all pricing questions. Customer comfortable with proposed pricing. "
        "Discussed implementation timeline - they prefer February start. "
        "Next step: send revised timeline proposal.",
        "duration_minutes": 42,
        "follow_up_required": True,
        "follow_up_date": "2025-12-23",
        "tags": ["completed", "positive-outcome"],
    },
    "quickly": {"outcome": "Task completed"},
    "and_create_the_follow_up": {
        "outcome": "They want a revised timeline.",
        "follow_up_date": "2025-12-23",
        "create_follow_up": True,
    },
}
CANCEL: Json = {
    "and_plan_a_successor": {
        "reason": "Customer requested to reschedule. Will reschedule for next week after internal review.",
        "reschedule": True,
        "reschedule_date": "2025-12-27T14:00:00Z",
    },
    "for_good": {
        "reason": "Customer unresponsive to 3 contact attempts. Will re-engage next month.",
        "reschedule": False,
    },
}
RESCHEDULE: Json = {
    "with_the_reminder": {
        "new_due_at": "2025-12-27T14:00:00Z",
        "reason": "Customer requested different time after internal meeting conflict",
        "update_reminder": True,
    },
    "with_another_priority": {
        "new_due_at": "2025-12-19T09:00:00Z",
        "reason": "High-priority opportunity. Rescheduling to earliest available slot.",
        "priority": "high",
    },
}
RECREATE: Json = {
    "as_it_was": {},
    "at_another_time": {"due_at": "2026-01-15T10:00:00Z", "priority": "urgent"},
}
DEFER: Json = {"with_a_reason": {"reason": "Budget is decided in February"}}
WAIT: Json = {"with_a_reason": {"reason": "Legal reviews the contract"}}
NOTHING: Json = {"nothing_to_say": {}}
BULK: Json = {
    "cancel_what_is_stale": {
        "action": "cancel",
        "activity_ids": [
            "01hwxyzJ23abc456def789ghi0",
            "01hwxyzK23abc456def789ghi0",
            "01hwxyzL23abc456def789ghi0",
        ],
        "parameters": {"reason": "Stale activity, no longer relevant"},
    },
    "assign_all_or_none": {
        "action": "assign",
        "activity_ids": [CALL_ID],
        "parameters": {"assigned_user_id": "01hwxyz623abc456def789ghi0"},
        "atomic": True,
    },
    "try_without_doing": {
        "action": "reschedule",
        "activity_ids": [CALL_ID, NOTE_ID],
        "parameters": {"new_due_at": "2026-01-05T10:00:00Z"},
        "dry_run": True,
    },
    "add_tags": {
        "action": "add_tags",
        "activity_ids": [CALL_ID],
        "parameters": {"tags": ["q4", "reviewed"]},
    },
    "start": {"action": "start", "activity_ids": [CALL_ID]},
}

SHOWN: Json = CREATE["schedule_a_call"] | {
    "id": CALL_ID,
    "version": 1,
    "external_id": None,
    "status": "pending",
    "activityable": {
        "id": "01hwxyz823abc456def789ghi0",
        "name": "Acme Corp - Enterprise Platform Implementation",
    },
    "contact": {"id": "01hwxyz123abc456def789ghi0", "name": "John Smith", "email": "john@acmecorp.com"},
    "assigned_user": {
        "id": "01hwxyz623abc456def789ghi0",
        "name": "Jane Manager",
        "email": "jane@yourcompany.com",
    },
    "created_by": {
        "id": "01hwxyz623abc456def789ghi0",
        "name": "Jane Manager",
        "email": "jane@yourcompany.com",
    },
    "previous_due_at": None,
    "rescheduled_count": 0,
    "is_overdue": False,
    "planned_duration_minutes": 30,
    "actual_duration_minutes": None,
    "follow_up_of_id": None,
    "is_billable": False,
    "billable_rate": None,
    "billable_amount": None,
    "currency": None,
    "participants": [],
    "attachment_urls": [],
    "outcome": None,
    "started_at": None,
    "completed_at": None,
    "cancelled_at": None,
    "cancellation_reason": None,
    "successor_id": None,
    "predecessor_id": None,
    "recreated_from_id": None,
    "allowed_actions": ["start", "defer", "wait", "reschedule", "complete", "cancel", "update", "delete"],
    "created_at": "2025-12-17T22:00:00Z",
    "updated_at": "2025-12-17T22:00:00Z",
    "deleted_at": None,
}
"""The scheduled call, as it is answered."""


def shown(at: str, **changed: Any) -> Json:
    """The scheduled call after a change."""
    return SHOWN | {"version": 2, "updated_at": at} | changed


UPDATED = shown(
    "2025-12-18T10:00:00Z",
    **CHANGE["move_and_extend"],
    version=3,
    planned_duration_minutes=45,
    previous_due_at="2025-12-20T14:00:00Z",
    rescheduled_count=1,
    reminder_at="2025-12-20T14:45:00Z",
)
COMPLETED = shown(
    "2025-12-20T15:42:00Z",
    status="completed",
    outcome=COMPLETE["with_outcome_and_follow_up"]["outcome"],
    completed_at="2025-12-20T15:42:00Z",
    duration_minutes=42,
    actual_duration_minutes=42,
    tags=["proposal-discussion", "pricing-questions", "completed", "positive-outcome"],
    allowed_actions=["update", "delete"],
)
CANCELLED = shown(
    "2025-12-19T10:00:00Z",
    status="cancelled",
    cancelled_at="2025-12-19T10:00:00Z",
    cancellation_reason=CANCEL["and_plan_a_successor"]["reason"],
    successor_id=NEXT_ID,
    allowed_actions=["recreate", "delete"],
)
RESCHEDULED = shown(
    "2025-12-19T10:15:00Z",
    due_at="2025-12-27T14:00:00Z",
    reminder_at="2025-12-27T13:45:00Z",
    previous_due_at="2025-12-20T14:00:00Z",
    rescheduled_count=1,
)
STARTED = shown(
    "2025-12-20T14:01:00Z",
    status="in_progress",
    started_at="2025-12-20T14:01:00Z",
    allowed_actions=["defer", "wait", "complete", "cancel", "update", "delete"],
)
DEFERRED = shown(
    "2025-12-19T11:00:00Z",
    status="deferred",
    allowed_actions=["reschedule", "cancel", "update", "delete"],
)
WAITING = shown(
    "2025-12-19T11:00:00Z",
    status="waiting",
    allowed_actions=["resume", "reschedule", "complete", "cancel", "delete"],
)
RESUMED = shown("2025-12-19T16:00:00Z", version=3)
RECREATED = SHOWN | {
    "id": NEXT_ID,
    "recreated_from_id": CALL_ID,
    "created_at": "2025-12-19T10:20:00Z",
    "updated_at": "2025-12-19T10:20:00Z",
}
DELETED = shown("2025-12-19T12:00:00Z", deleted_at="2025-12-19T12:00:00Z", allowed_actions=["restore"])
RESTORED = shown("2025-12-19T12:05:00Z", version=3)
IN_FULL = SHOWN | {
    "activityable": {
        "id": "01hwxyz823abc456def789ghi0",
        "name": "Acme Corp - Enterprise Platform Implementation",
        "value": 150000.00,
        "stage": "proposal",
    },
    "contact": SHOWN["contact"] | {"phone": "+1-555-0200"},
}
HISTORY: list[Json] = [
    {
        "version": 1,
        "position": 4711,
        "type": "activity.created.v1",
        "recorded_at": "2025-12-17T22:00:00Z",
        "happened_at": "2025-12-17T22:00:00Z",
        "actor": {"id": "01hwxyz623abc456def789ghi0", "name": "Jane Manager"},
        "client": None,
        "command_id": "01KCPY6Q0V0123456789ABCDEF",
        "reason": None,
        "changes": {"subject": {"before": None, "after": "Follow-up Call - Proposal Discussion"}},
    },
    {
        "version": 2,
        "position": 4750,
        "type": "activity.rescheduled.v1",
        "recorded_at": "2025-12-19T10:15:00Z",
        "happened_at": "2025-12-19T10:15:00Z",
        "actor": {"id": "01hwxyz623abc456def789ghi0", "name": "Jane Manager"},
        "client": "01KCPX0000KEY0000000000000",
        "command_id": "01KCTZ6Q0V0123456789ABCDEF",
        "reason": RESCHEDULE["with_the_reminder"]["reason"],
        "changes": {
            "due_at": {"before": "2025-12-20T14:00:00Z", "after": "2025-12-27T14:00:00Z"},
            "rescheduled_count": {"before": 0, "after": 1},
        },
    },
]
PAGE_META: Json = {
    "current_page": 1,
    "per_page": 25,
    "total": 47,
    "last_page": 2,
    "next_cursor": "WyI5YzRhZjIiLG51bGxd",
}
CURSOR_META: Json = {"per_page": 25, "next_cursor": None}
