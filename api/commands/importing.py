"""`activities import`: lines of a file through decide and the log like everything else, many at a time.

An import may be interrupted and run again: what is as the file says already is left alone.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from api.commands.lines import Line, lines_of
from api.commands.progress import counting
from api.http.problems import Problem, of_refusal, of_validation
from application.activity.import_activity import ImportActivity, import_activity, imported_id
from application.command import Actor, Answer, Order, Policy, Receipt
from application.desk import Desk
from application.postgres.connections import writer_of
from domain.activity.drafts import NewActivity
from domain.refusals import Refusal
from domain.values import Reference

TOGETHER = 512
_external_id: TypeAdapter[str] = TypeAdapter(Reference)


@dataclass(slots=True)
class Report:
    """How many lines became what, and which were refused."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, line: Line, problem: Problem) -> None:
        self.counts["refused"] += 1
        self.refused.append({"line": line.number, "message": problem.detail, "errors": dict(problem.errors or {})})


def import_file(dsn: str, path: Path, *, organization: str, user: str, policy: Policy) -> int:
    """Import a file; 0 when every line was taken, 1 when some were refused (they are in FILE.refused)."""
    report = Report()
    actor = Actor(user_id=user, client="import")
    with counting(f"importing {path.name}", "lines") as told:
        asyncio.run(_import(dsn, lines_of(path), actor, organization, policy, report, told))
    counts = report.counts
    print(
        f"{counts['created']} created, {counts['updated']} updated, "
        f"{counts['unchanged']} as they were, {counts['refused']} refused"
    )
    refused = path.with_name(f"{path.name}.refused")
    refused.unlink(missing_ok=True)
    if report.refused:
        refused.write_text("".join(json.dumps(line) + "\n" for line in report.refused), encoding="utf-8")
        print(f"refused lines and why: {refused}", file=sys.stderr)
    return int(bool(report.refused))


async def _import(
    dsn: str, lines: Iterable[Line], actor: Actor, organization: str, policy: Policy, report: Report, told: Any
) -> None:
    async with Desk(writer_of(dsn), policy=policy, lanes=1, most_at_once=TOGETHER).opened() as desk:
        for chunk in _chunks(lines, 2 * TOGETHER):
            await asyncio.gather(*(_bring_in(desk, line, actor, organization, report) for line in chunk))
            told(len(chunk))


def _chunks(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _bring_in(desk: Desk, line: Line, actor: Actor, organization: str, report: Report) -> None:
    try:
        command = _command(line, actor, organization)
        answer = await desk.serve(Order(command, import_activity, _what_became))
        report.counts[answer.body.decode()] += 1
    except Problem as problem:
        report.refuse(line, problem)
    except ValidationError as error:
        report.refuse(line, of_validation(error.errors(include_input=False, include_url=False)))
    except Refusal as refusal:
        report.refuse(line, of_refusal(refusal))


def _command(line: Line, actor: Actor, organization: str) -> ImportActivity:
    if line.said is None:
        raise Problem("malformed_request", line.problem)
    said = dict(line.said)
    try:
        external_id = _external_id.validate_python(said.pop("external_id", None))
    except ValidationError:
        message = "must have 1 to 64 characters"
        raise Problem("invalid", f"external_id: {message}", errors={"external_id": [message]}) from None
    return ImportActivity(
        organization_id=organization,
        actor=actor,
        activity_id=imported_id(external_id),
        external_id=external_id,
        new=NewActivity.model_validate(said),
    )


def _what_became(receipt: Receipt) -> Answer:
    activity = receipt.streams.activity_at(receipt.subject)
    assert activity is not None  # a line that was not refused is about an activity
    if activity.created_at == receipt.now:
        return Answer(200, b"created")
    return Answer(200, b"updated" if activity.updated_at == receipt.now else b"unchanged")
