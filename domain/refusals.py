"""Every refusal by name, in business words. Which status code each becomes is the edge's business.

Refusal
    Unknown                   there is no such activity or record (or it is deleted)
    Erased                    the person's data were erased: the record is closed for good
    NotAllowed                the lifecycle does not allow this action now
    NotesOnly                 a completed activity takes notes and nothing else
    Invalid                   a value that cannot be, in a named field
        RelatedEntityNotFound a reference to a record this organisation does not have
        OfAnErasedPerson      something personal of a person whose data were erased
"""

from domain.lifecycle import Action
from domain.vocabulary import Status


class Refusal(Exception):
    """A decision not to record anything. `message` is for people, `code` for programs."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unknown(Refusal):
    code = "not_found"

    def __init__(self, noun: str) -> None:
        super().__init__(f"{noun} not found")


class Erased(Refusal):
    code = "erased"

    def __init__(self, noun: str) -> None:
        super().__init__(f"{noun} was erased for good")


class NotAllowed(Refusal):
    code = "action_not_allowed"

    def __init__(self, action: Action, status: Status, allowed: tuple[Action, ...], message: str = "") -> None:
        super().__init__(message or f"Cannot {action} an activity that is {status}")
        self.action = action
        self.status = status
        self.allowed_actions = allowed


class NotesOnly(NotAllowed):
    def __init__(self, fields: list[str], allowed: tuple[Action, ...]) -> None:
        message = f"A completed activity takes description, outcome and tags only, not {', '.join(fields)}"
        super().__init__(Action.UPDATE, Status.COMPLETED, allowed, message)


class Invalid(Refusal):
    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RelatedEntityNotFound(Invalid):
    code = "related_entity_not_found"

    def __init__(self, field: str) -> None:
        super().__init__(field, "Related entity not found")


class OfAnErasedPerson(Invalid):
    code = "of_an_erased_person"

    def __init__(self, field: str) -> None:
        super().__init__(
            field, "The data of the person this is about were erased; nothing personal can be recorded anew"
        )
