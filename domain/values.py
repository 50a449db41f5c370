"""Small value types: each says what may be said. Checked where words come in, never when facts are read back."""

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, Strict
from pydantic import StringConstraints as Letters
from pydantic import WithJsonSchema as SchemaIs

from domain.json_schema import Schema

CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_CONTROL = re.compile(rf"[{CONTROLS}\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
_INSTANT = re.compile(rf"{_DAY.pattern}[Tt ]{_TIME}")
_URL = re.compile(rf"[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@{CONTROLS}]+([/?#][^\s{CONTROLS}]*)?")

ABSENT: Any = None
"""Default of a field that may be left out but not be null."""

SHORT_LINE = 255
LONG_TEXT = 32 * 1024
MOST_TAGS = 50
MOST_ATTACHMENTS = 50
MOST_MINUTES = 525_600
MOST_MONEY = Decimal("9999999999.99")


def no_control_characters(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters or unpaired surrogates")
    return text


def _trimmed(text: str) -> str:
    if not (trimmed := text.strip()):
        raise ValueError("must not be blank")
    return trimmed


def _rfc3339(value: object) -> object:
    """Strings of digits would be taken for seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise ValueError("must be an RFC 3339 instant with an offset, such as 2025-12-20T14:00:00Z")
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999 in UTC") from None


def _iso_day(value: object) -> object:
    if isinstance(value, datetime) or not isinstance(value, str | date):
        raise ValueError("must be a day, such as 2025-12-23")
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("must be a day, such as 2025-12-23")
    return value


def _a_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number")
    return value


def _whole(value: object) -> object:
    """In JSON 30.0 and 30 are the same integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _folded(tags: list[str]) -> list[str]:
    folded = list(dict.fromkeys(tags))
    if len(folded) > MOST_TAGS:
        raise ValueError(f"must be at most {MOST_TAGS} tags")
    return folded


def _web_address(url: str) -> str:
    if not _URL.fullmatch(url):
        raise ValueError("must be an http or https URL without credentials")
    return url


_PLAIN = Schema(pattern=f"^[^{CONTROLS}]*$")
_NOT_BLANK = Schema(pattern=rf"^[^{CONTROLS}]*[^\s{CONTROLS}][^{CONTROLS}]*$", minLength=1)
PlainText = Annotated[str, Strict(), AfterValidator(no_control_characters), _PLAIN]
Line = Annotated[PlainText, Letters(max_length=SHORT_LINE)]
Text = Annotated[PlainText, Letters(max_length=LONG_TEXT)]
Subject = Annotated[PlainText, AfterValidator(_trimmed), Letters(max_length=SHORT_LINE), _NOT_BLANK]
Reference = Annotated[PlainText, Letters(min_length=1, max_length=64)]
"""Ids of other people's records are opaque: 1 to 64 characters, whatever they look like."""
Tag = Annotated[PlainText, AfterValidator(_trimmed), Letters(max_length=64), _NOT_BLANK]
Tags = Annotated[list[Tag], Field(max_length=1000), AfterValidator(_folded), Schema(maxItems=MOST_TAGS)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_in_utc), Schema(pattern=f"^{_INSTANT.pattern}$")
]
Day = Annotated[date, BeforeValidator(_iso_day), Schema(pattern=f"^{_DAY.pattern}$")]
Flag = Annotated[bool, Strict()]
Minutes = Annotated[int, Strict(), Field(ge=0, le=MOST_MINUTES), BeforeValidator(_whole)]
Percent = Annotated[int, Strict(), Field(ge=0, le=100), BeforeValidator(_whole)]
Money = Annotated[
    Decimal,
    BeforeValidator(_a_number),
    Field(ge=0, max_digits=12, decimal_places=2),
    SchemaIs({"type": "number", "minimum": 0, "maximum": float(MOST_MONEY), "multipleOf": 0.01}),
]
Currency = Annotated[str, Strict(), Letters(pattern="^[A-Z]{3}$")]
Attachment = Annotated[
    PlainText, Letters(max_length=2048), AfterValidator(_web_address), Schema(pattern=f"^{_URL.pattern}$")
]
Attachments = Annotated[list[Attachment], Field(max_length=MOST_ATTACHMENTS)]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, too, where true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    return bool(one == other)
