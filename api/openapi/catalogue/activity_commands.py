"""Commands on activities, one by one and many at once."""

from api.http.answers import NO_OUTCOME
from api.http.problems import document
from api.openapi.catalogue.answering import Json, enveloped, one
from api.openapi.examples import activities as say
from api.openapi.examples.problems import UNKNOWN
from api.openapi.shapes.activity import ActivityAnswer
from api.openapi.shapes.bulk import BulkAnswer
from api.openapi.told import Answer, Examples, Told

_UNRELATED = "related_entity_not_found"
_ERASED = "of_an_erased_person"


def _act(summary: str, done: str, data: Json, bodies: Examples, *refusals: str, status: int = 200) -> Told:
    answer = one(ActivityAnswer, done, data, "The activity as it is now")
    return Told(summary, {status: answer}, bodies, ("action_not_allowed", _ERASED, *refusals))


_CREATED = "Activity created successfully"
_COMPLETED = enveloped("Activity completed successfully", say.COMPLETED | {"outcome": None}, warnings=[*NO_OUTCOME])
_BULK_DONE: Json = {
    "results": [{"id": say.CALL_ID, "ok": True}],
    "succeeded": 1,
    "failed": 0,
    "dry_run": False,
}
_BULK_MIXED = _BULK_DONE | {
    "results": [
        {"id": say.CALL_ID, "ok": True},
        {"id": say.NOTE_ID, "ok": False, "problem": document(UNKNOWN, None, None)},
    ],
    "failed": 1,
}

ACTIVITY_COMMANDS = {
    "create_activity": Told(
        "Create an activity",
        {201: one(ActivityAnswer, _CREATED, say.SHOWN, "The new activity", "scheduled_call")},
        say.CREATE,
        (_UNRELATED, _ERASED),
    ),
    "update_activity": _act("Change an activity", "Activity updated successfully", say.UPDATED, say.CHANGE, _UNRELATED),
    "put_activity": _act(
        "Change an activity (PUT)", "Activity updated successfully", say.UPDATED, say.CHANGE, _UNRELATED
    ),
    "complete_activity": Told(
        "Complete an activity",
        {
            200: Answer(
                ActivityAnswer,
                {
                    "with_outcome": enveloped("Activity completed successfully", say.COMPLETED),
                    "without_outcome": _COMPLETED,
                },
                "The activity as it is now",
                etag=True,
            )
        },
        say.COMPLETE,
        ("action_not_allowed", _ERASED),
    ),
    "cancel_activity": _act("Cancel an activity", "Activity cancelled successfully", say.CANCELLED, say.CANCEL),
    "reschedule_activity": _act(
        "Reschedule an activity", "Activity rescheduled successfully", say.RESCHEDULED, say.RESCHEDULE
    ),
    "start_activity": _act("Start an activity", "Activity started successfully", say.STARTED, say.NOTHING),
    "defer_activity": _act("Defer an activity", "Activity deferred successfully", say.DEFERRED, say.DEFER),
    "wait_activity": _act("Have an activity wait", "Activity is waiting", say.WAITING, say.WAIT),
    "resume_activity": _act("Resume an activity", "Activity resumed successfully", say.RESUMED, say.NOTHING),
    "recreate_activity": _act(
        "Recreate a cancelled activity",
        "Activity recreated successfully",
        say.RECREATED,
        say.RECREATE,
        _UNRELATED,
        status=201,
    ),
    "restore_activity": _act("Restore a deleted activity", "Activity restored successfully", say.RESTORED, say.NOTHING),
    "delete_activity": Told(
        "Delete an activity",
        {200: one(ActivityAnswer, "Activity deleted successfully", say.DELETED, "The activity as it was deleted")},
    ),
    "run_bulk_action": Told(
        "Do one thing to many activities",
        {
            200: Answer(
                BulkAnswer,
                {"all_done": enveloped("Bulk action performed: 1 of 1", _BULK_DONE)},
                "All went well",
            ),
            207: Answer(
                BulkAnswer,
                {"mixed": enveloped("Bulk action performed: 1 of 2", _BULK_MIXED)},
                "Some went well and some did not, or none did: see the results",
            ),
        },
        say.BULK,
        ("bulk_refused",),
    ),
}
