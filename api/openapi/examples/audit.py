"""The log as auditors read it, around the scheduled call of the SynthesQ guide."""

from typing import Any

from api.openapi.examples.activities import CALL_ID, HISTORY, RESCHEDULE

Json = dict[str, Any]

_MOVED = HISTORY[1]
EVENT: Json = {
    "position": _MOVED["position"],
    "stream_id": "0193d1f0-0c62-9d2a-a0a5-3b8d1c5e7f90",
    "kind": "activity",
    "id": CALL_ID,
    "record_kind": None,
    "version": _MOVED["version"],
    "type": _MOVED["type"],
    "recorded_at": _MOVED["recorded_at"],
    "happened_at": _MOVED["happened_at"],
    "actor_id": _MOVED["actor"]["id"],
    "client": _MOVED["client"],
    "command_id": _MOVED["command_id"],
    "data": {
        "at": _MOVED["recorded_at"],
        "due_at": "2025-12-27T14:00:00Z",
        "reminder_at": "2025-12-27T13:45:00Z",
        "reason": RESCHEDULE["with_the_reminder"]["reason"],
    },
}
FEED_META: Json = {"limit": 100, "position": 4750, "head": 4750, "next_cursor": None}
CHANGE: Json = {"kind": "activity", "id": CALL_ID, "record_kind": None} | _MOVED
_CAUSE = {name: value for name, value in _MOVED.items() if name != "changes"}
DIFF: Json = {
    "by": "known_at",
    "from": {name: HISTORY[0][name] for name in ("version", "position", "recorded_at")},
    "to": {name: _MOVED[name] for name in ("version", "position", "recorded_at")},
    "changes": {name: change | {"events": [_CAUSE | change]} for name, change in _MOVED["changes"].items()},
}
