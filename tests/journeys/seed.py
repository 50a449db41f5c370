"""The requests the SynthesQ guide shows, read out of the copied document as they stand there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[1] / "data" / "003_482b03fd61583e58.txt"
SURFACE = "/api/v1/crm"

_REQUEST = re.compile(rf"(GET|POST|PUT|PATCH|DELETE) {SURFACE}(\S+)")
_RESPONSE = re.compile(r"Response \((\d{3})[^)]*\):")
_SECTION = re.compile(r"Scenario \d: .+|Troubleshooting|Best Practices")
_ELIDED = '  "type": "call",\n  "subject": "Call the customer"\n'
"""What stands in for the three dots of the one body that is shown in part."""


@dataclass
class Request:
    """A request of the document: where it stands, what it says, and the answer shown to it, if any."""

    line: int
    section: str
    method: str
    path: str
    text: str | None = None
    status: int | None = None
    answer: dict[str, Any] | None = None

    @property
    def body(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.text or "{}")
        return said

    def __str__(self) -> str:
        return f"line {self.line}: {self.method} {self.path}"


def _requests() -> Iterator[Request]:
    lines = iter(enumerate(DOCUMENT.read_text(encoding="utf-8").splitlines(), start=1))
    section = ""
    current: list[Request] = []
    for number, line in lines:
        if _SECTION.fullmatch(line):
            section = line
        elif found := _REQUEST.findall(line):
            yield from current
            current = [Request(number, section, *one) for one in found]
        elif line == "Example Request:":
            current = []  # the endpoint was described only; the example is the request
        elif answered := _RESPONSE.fullmatch(line):
            for request in current:
                request.status = int(answered[1])
        elif line == "{":
            text = _json(lines)
            for request in current:
                if request.status is not None:
                    request.answer = json.loads(text)
                else:
                    request.text = text
    yield from current


def _json(lines: Iterator[tuple[int, str]]) -> str:
    text = "{\n"
    for _, line in lines:
        text += _ELIDED if line == "  ..." else f"{line}\n"
        if line == "}":
            break
    return text


REQUESTS = tuple(_requests())
CREATE = next(request for request in REQUESTS if request.status == 201)
"""The example of "Create Activity": the activity every other example of the guide goes on about."""


def steps(section: str) -> list[Request]:
    """The requests of a section, in order."""
    return [request for request in REQUESTS if request.section.startswith(section)]
