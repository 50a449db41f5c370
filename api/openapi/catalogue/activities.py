"""Reading activities: lists, search, one in full, its history."""

from typing import Any

from api.openapi.catalogue.answering import Json, enveloped, one, page
from api.openapi.examples.activities import HISTORY, IN_FULL, SHOWN
from api.openapi.examples.audit import DIFF
from api.openapi.shapes.activity import (
    ActivityAnswer,
    ActivityPage,
    FollowUpPage,
    FoundActivityPage,
    HistoryAnswer,
    OverdueActivityPage,
    TypesAnswer,
)
from api.openapi.shapes.diff import DiffAnswer
from api.openapi.told import Answer, Told
from domain.vocabulary import TYPE_GUIDE, ActivityType

_DESCRIBED, _USES = TYPE_GUIDE[ActivityType.CALL]
_CALL: Json = {"value": "call", "label": "Call", "description": _DESCRIBED, "use_cases": [*_USES]}
_FOUND: Json = SHOWN | {
    "highlight": {
        "subject": "Follow-up Call - <mark>Proposal</mark> <mark>Discussion</mark>",
        "description": "Discuss <mark>proposal</mark> feedback.",
    }
}
_LATE: Json = SHOWN | {"is_overdue": True, "days_overdue": 3}
_PROMISED: Any = {"follow_up": {"due_on": "2025-12-23", "state": "open", "satisfied_by_id": None}}

ACTIVITIES = {
    "list_activity_types": Told(
        "List the types of activity",
        {
            200: Answer(
                TypesAnswer,
                {"in_part": enveloped("Activity types retrieved successfully", [_CALL])},
                "All types, in the guide's order",
            )
        },
    ),
    "list_activities": Told(
        "List activities",
        {200: page(ActivityPage, "Activities retrieved successfully", SHOWN, "A page of activities")},
    ),
    "search_activities": Told(
        "Search activities",
        {200: page(FoundActivityPage, "Activities found successfully", _FOUND, "A page of results")},
    ),
    "list_overdue_activities": Told(
        "List overdue activities",
        {200: page(OverdueActivityPage, "Overdue activities retrieved successfully", _LATE, "A page of what is late")},
    ),
    "list_follow_ups": Told(
        "List follow-ups",
        {200: page(FollowUpPage, "Follow-ups retrieved successfully", SHOWN | _PROMISED, "A page of follow-ups")},
    ),
    "get_activity": Told(
        "Get an activity",
        {200: one(ActivityAnswer, "Activity retrieved successfully", IN_FULL, "The activity", "with_includes")},
    ),
    "get_activity_diff": Told(
        "Compare two moments of an activity",
        {
            200: Answer(
                DiffAnswer,
                {"moved": enveloped("Activity differences retrieved successfully", DIFF)},
                "What differs, and the facts that made it so",
            )
        },
        description="How the activity differs between two moments (from its creation to now, unless said otherwise), "
        "field by field, with the facts that made it so: who, when, by which command. `by=happened_at` compares what "
        "had happened by two instants, as it is known now, where `by=known_at` compares what was known at two moments. "
        "Of a deleted activity it needs the scope `audit:read` too.",
    ),
    "get_activity_history": Told(
        "Get an activity's history",
        {
            200: Answer(
                HistoryAnswer,
                {"two_events": enveloped("Activity history retrieved successfully", HISTORY)},
                "Every event, oldest first",
            )
        },
        description="Every fact of the activity, oldest first: who, when, by which command, and what it changed. "
        "That of a deleted activity needs the scope `audit:read` too.",
    ),
}
