"""The words of this surface and what they are called in the domain. Source: the Thena Activities page.

One table serves bodies, validation and refusals alike: whatever names a field, names it as its caller does.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from api.http.problems import Problem
from domain.vocabulary import OPEN, ActivityType, Status

NAMES: Mapping[str, str] = {
    "activityable_id": "accountId",
    "activityable_type": "accountId",
    "due_at": "activityTimestamp",
    "completed_at": "activityTimestamp",
    "reminder_at": "activityTimestamp",
    "duration_minutes": "duration",
    "subject": "title",
    "attachment_urls": "attachmentUrls",
    "account_id": "accountId",
}
"""Fields by their name in the domain; those not here are named alike."""

_NAMED = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")


def named(field: str) -> str:
    return NAMES.get(field, field)


def in_these_words(problem: Problem) -> Problem:
    """The problem with fields named as they are here."""
    errors = {
        named(field): [_renamed(message) for message in messages] for field, messages in (problem.errors or {}).items()
    }
    detail = _renamed(problem.detail)
    return Problem(problem.code, detail, errors=errors, headers=problem.headers, **problem.more)


def _renamed(message: str) -> str:
    return _NAMED.sub(lambda found: NAMES[found[0]], message)


def type_shown(type_: str) -> str:
    return "SITE_VISIT" if type_ == ActivityType.VISIT else type_.upper()


def status_shown(status: str) -> str:
    """Whatever is open reads PENDING."""
    return "PENDING" if status in OPEN else status.upper()


TYPES = {type_shown(type_): type_ for type_ in ActivityType}
STATUSES = {status_shown(status): status for status in (Status.PENDING, Status.COMPLETED, Status.CANCELLED)}


def _one_of(words: Mapping[str, Any], also: Mapping[str, Any]) -> PlainValidator:
    def read(value: object) -> Any:
        said = value.upper() if isinstance(value, str) else ""
        if (meant := words.get(said, also.get(said))) is None:
            raise ValueError(f"must be one of {', '.join(words)}")
        return meant

    return PlainValidator(read)


def _schema(words: Sequence[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(words)})


TypeHere = Annotated[ActivityType, _one_of(TYPES, {"VISIT": ActivityType.VISIT}), _schema([*TYPES])]
StatusHere = Annotated[Status, _one_of(STATUSES, {}), _schema([*STATUSES])]
"""Read in any case. The domain's own word for a site visit is understood too."""
