"""The transition table of REQUIREMENTS section 2 in the tests' own words: never derived from the product's."""

LEADS_TO: dict[str, dict[str, str]] = {
    "pending": {
        "start": "in_progress",
        "defer": "deferred",
        "wait": "waiting",
        "reschedule": "pending",
        "complete": "completed",
        "cancel": "cancelled",
        "update": "pending",
        "delete": "pending",
    },
    "in_progress": {
        "defer": "deferred",
        "wait": "waiting",
        "complete": "completed",
        "cancel": "cancelled",
        "update": "in_progress",
        "delete": "in_progress",
    },
    "deferred": {
        "reschedule": "pending",
        "cancel": "cancelled",
        "update": "deferred",
        "delete": "deferred",
    },
    "waiting": {
        "resume": "pending",  # in_progress, if it was ever started
        "reschedule": "waiting",
        "complete": "completed",
        "cancel": "cancelled",
        "delete": "waiting",
    },
    "completed": {"update": "completed", "delete": "completed"},
    "cancelled": {"recreate": "pending", "delete": "cancelled"},
    "deleted": {"restore": "pending"},  # what it was
}
"""Each status with what is allowed and where that leads; all else is refused."""
