"""A problem of each kind, as the service itself would put it."""

from typing import Any

from api.http.problems import KINDS, Problem, document
from api.openapi.examples.activities import CALL_ID, HISTORY

Json = dict[str, Any]

_REQUEST_ID = "01KCTZ7D2M4N6P8Q0R2S4T6V8W"
_ACTIVITIES = "/api/v1/crm/activities"
_CALL = f"{_ACTIVITIES}/{CALL_ID}"

UNKNOWN = Problem("not_found", "Activity not found")
_NOT_ALLOWED = Problem(
    "action_not_allowed",
    "Cannot reschedule an activity that is completed",
    allowed_actions=["update", "delete"],
)
_SAID: dict[str, tuple[str, Problem]] = {
    "malformed_request": (_ACTIVITIES, Problem("malformed_request", "A key occurs twice in one object")),
    "unauthenticated": (_ACTIVITIES, Problem("unauthenticated", "The token has expired")),
    "forbidden": (_ACTIVITIES, Problem("forbidden", "The scope activities:write is needed")),
    "not_found": (_CALL, UNKNOWN),
    "action_not_allowed": (f"{_CALL}/reschedule", _NOT_ALLOWED),
    "bulk_refused": (
        f"{_ACTIVITIES}/bulk-actions",
        Problem(
            "bulk_refused",
            "1 of 1 were refused, so nothing was done",
            results=[{"id": CALL_ID, "ok": False, "problem": document(UNKNOWN, None, None)}],
        ),
    ),
    "stale_version": (
        _CALL,
        Problem(
            "stale_version",
            "The current version is 2, not the one of If-Match",
            current_version=2,
            events=HISTORY[1:],
        ),
    ),
    "erased": ("/api/v1/crm/contacts/c-1", Problem("erased", "Contact was erased for good")),
    "of_an_erased_person": (
        f"{_CALL}/complete",
        Problem(
            "of_an_erased_person",
            "The data of the person this is about were erased; nothing personal can be recorded anew",
            errors={
                "outcome": ["The data of the person this is about were erased; nothing personal can be recorded anew"]
            },
        ),
    ),
    "too_large": (_ACTIVITIES, Problem("too_large", "A body may have 262144 bytes")),
    "invalid": (
        _ACTIVITIES,
        Problem("invalid", "subject: must not be blank", errors={"subject": ["must not be blank"]}),
    ),
    "related_entity_not_found": (
        _ACTIVITIES,
        Problem(
            "related_entity_not_found",
            "Related entity not found",
            errors={"activityable_id": ["Related entity not found"]},
        ),
    ),
    "idempotency_key_reused": (
        _ACTIVITIES,
        Problem("idempotency_key_reused", "This Idempotency-Key was used for another request"),
    ),
    "rate_limited": (_ACTIVITIES, Problem("rate_limited", "At most 100000 requests in 60 seconds")),
    "internal": (_ACTIVITIES, Problem("internal", "Something went wrong on our side")),
    "unavailable": (_ACTIVITIES, Problem("unavailable", "The service is stopping")),
}


def _example(code: str) -> Json:
    where, problem = _SAID.get(code, (_ACTIVITIES, Problem(code)))
    return document(problem, where, _REQUEST_ID)


PROBLEMS: dict[str, Json] = {code: _example(code) for code in KINDS}
