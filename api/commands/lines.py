"""The lines of a file to import: NDJSON, or CSV by its header."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.http.problems import Problem
from api.http.strict_json import parsed

_LISTS = ("tags", "attachment_urls")
_NUMBERS = ("duration_minutes", "billable_rate")
_FLAGS = ("follow_up_required", "is_billable", "create_follow_up")
_JSON = ("custom_fields", "participants")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: what it says, or why it says nothing."""

    number: int
    said: Mapping[str, Any] | None
    problem: str = ""


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a CSV (by its header) or of NDJSON."""
    if path.suffix.lower() == ".csv":
        yield from _csv_lines(path)
        return
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield _json_line(number, text)


def _json_line(number: int, text: bytes) -> Line:
    try:
        said = parsed(text)
    except Problem as problem:
        return Line(number, None, problem.detail)
    return Line(number, said) if isinstance(said, dict) else Line(number, None, "not a JSON object")


def _csv_lines(path: Path) -> Iterator[Line]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                yield Line(number, {name: _cell(name, cell) for name, cell in row.items() if name and cell})
            except Problem as problem:
                yield Line(number, None, problem.detail)


def _cell(name: str, cell: str) -> Any:
    """Empty cells are absent; tags are parted by semicolons; objects are JSON."""
    if name in _LISTS:
        return [part.strip() for part in cell.split(";") if part.strip()]
    if name in _FLAGS:
        return {"true": True, "false": False}.get(cell.strip().lower(), cell)
    if name in _NUMBERS or name in _JSON:
        return parsed(cell.encode())
    return cell
