"""Activities of accounts, in the words of the Thena Activities page."""

from typing import Any

Json = dict[str, Any]

UID = "01KCPY6Q0V8M2T4X6Z9B1D3F5G"

CREATE: Json = {
    "plan_a_site_visit": {
        "accountId": "acme",
        "activityTimestamp": "2030-05-01T10:00:00Z",
        "duration": 45,
        "location": "Vienna office",
        "type": "SITE_VISIT",
        "status": "PENDING",
        "participants": ["jane", {"kind": "external", "name": "Kim Visitor", "role": "optional"}],
        "attachmentUrls": ["https://files.example/agenda.pdf"],
        "title": "Roll-out on site",
        "description": "Walk through the plant, then plan the roll-out.",
    },
    "as_little_as_possible": {
        "accountId": "acme",
        "activityTimestamp": "2030-05-01T10:00:00Z",
        "duration": 45,
        "location": "Phone",
    },
    "log_what_took_place": {
        "accountId": "acme",
        "activityTimestamp": "2025-12-20T14:00:00Z",
        "duration": 30,
        "location": "Phone",
        "status": "COMPLETED",
    },
}
CHANGE: Json = {
    "move": {"activityTimestamp": "2030-05-02T10:00:00Z", "location": "Graz office"},
    "cancel": {"status": "CANCELLED"},
    "take_the_title_away": {"title": None},
}
SHOWN: Json = {
    "id": 4711,
    "uid": UID,
    "accountId": "acme",
    "account": "Acme Corp",
    "activityTimestamp": "2030-05-01T10:00:00Z",
    "duration": 45,
    "location": "Vienna office",
    "type": "SITE_VISIT",
    "status": "PENDING",
    "statusConfiguration": {"value": "PENDING", "label": "Pending"},
    "title": "Roll-out on site",
    "description": "Walk through the plant, then plan the roll-out.",
    "participants": [{"kind": "user", "id": "jane"}, {"kind": "external", "name": "Kim Visitor", "role": "optional"}],
    "attachmentUrls": ["https://files.example/agenda.pdf"],
    "isActive": True,
    "creator": "Jane Manager",
    "creatorId": "jane",
    "creatorEmail": "jane@yourcompany.com",
    "createdAt": "2025-12-17T22:00:00Z",
    "updatedAt": "2025-12-17T22:00:00Z",
    "deletedAt": None,
}
UPDATED = SHOWN | CHANGE["move"] | {"updatedAt": "2025-12-18T10:00:00Z"}
DELETED = SHOWN | {"isActive": False, "deletedAt": "2025-12-19T12:00:00Z", "updatedAt": "2025-12-19T12:00:00Z"}
WITHOUT_ATTACHMENT = SHOWN | {"attachmentUrls": [], "updatedAt": "2025-12-18T11:00:00Z"}
META: Json = {"page": 1, "limit": 25, "total": 1}
