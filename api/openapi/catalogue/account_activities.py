"""Surface T: the activities of accounts."""

from api.openapi.catalogue.answering import enveloped, one
from api.openapi.examples import account_activities as say
from api.openapi.shapes.account_activity import AccountActivityAnswer, AccountActivityPage
from api.openapi.told import Answer, Told

_UNRELATED = "related_entity_not_found"
_ERASED = "of_an_erased_person"
_PAGE = enveloped("Activities retrieved successfully", [say.SHOWN], meta=say.META)

ACCOUNT_ACTIVITIES = {
    "list_account_activities": Told(
        "List the activities of accounts",
        {200: Answer(AccountActivityPage, {"one_account": _PAGE}, "A page of activities")},
    ),
    "create_account_activity": Told(
        "Create an activity of an account",
        {201: one(AccountActivityAnswer, "Activity created successfully", say.SHOWN, "The new activity")},
        say.CREATE,
        (_UNRELATED, _ERASED),
    ),
    "get_account_activity": Told(
        "Get an activity of an account",
        {200: one(AccountActivityAnswer, "Activity retrieved successfully", say.SHOWN, "The activity")},
    ),
    "update_account_activity": Told(
        "Change an activity of an account",
        {200: one(AccountActivityAnswer, "Activity updated successfully", say.UPDATED, "The activity as it is now")},
        say.CHANGE,
        ("action_not_allowed", _UNRELATED, _ERASED),
    ),
    "delete_account_activity": Told(
        "Delete an activity of an account",
        {
            200: one(
                AccountActivityAnswer, "Activity deleted successfully", say.DELETED, "The activity as it was deleted"
            )
        },
    ),
    "remove_account_activity_attachment": Told(
        "Take an attachment off an activity",
        {
            200: one(
                AccountActivityAnswer,
                "Attachment removed successfully",
                say.WITHOUT_ATTACHMENT,
                "The activity without it",
            )
        },
        refusals=("action_not_allowed", _ERASED),
    ),
}
