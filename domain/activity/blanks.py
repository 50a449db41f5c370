"""What is left of an activity's personal fields once the person they are about was erased."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ERASED = "[erased]"
"""Stands where a text is required."""

BLANKS: Mapping[str, Any] = MappingProxyType(
    {
        "subject": ERASED,
        "description": None,
        "location": None,
        "outcome": None,
        "reason": None,
        "cancellation_reason": None,
        "custom_fields": {},
        "attachment_urls": (),
    }
)
"""What becomes of each personal field of an activity and of its facts."""
