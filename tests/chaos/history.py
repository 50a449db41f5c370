"""What the clients saw: every invocation and its outcome, every read and what it showed. One JSON object a line.

Times are seconds of one monotonic clock: that of the process all clients run in.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"
    """No answer, or one that does not tell (5xx): it may have happened or not, and may yet happen."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its client knows it. `token` is a word said in it that nobody else ever says.

    Repeated under the same Idempotency-Key it is still the same command. `activity` and `version` are what the
    acknowledgement showed.
    """

    token: str
    writer: int
    kind: str
    began: float
    ended: float = float("inf")
    outcome: Outcome = Outcome.AMBIGUOUS
    if_match: int | None = None
    activity: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What a question showed: activities by id as (version, subject). `behind`: it said itself that it was stale.

    `group` names a set of activities of which it must show all; `total` is the number it gave for all there are.
    """

    reader: int
    question: str
    began: float
    ended: float
    seen: Mapping[str, tuple[int, str]]
    asked: str | None = None
    group: str | None = None
    total: int | None = None
    behind: int = 0


@dataclass(slots=True)
class History:
    commands: dict[str, Command]
    reads: list[Read]
    groups: dict[str, str]
    """The group each create was made in, by its token."""


class Recorder:
    """Writes a history down as it happens, from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._file = self.path.open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._file.close()

    def invoked(self, command: Command, group: str | None = None) -> None:
        self._line({"invoked": command.token, "writer": command.writer, "kind": command.kind, "began": command.began,
                    "if_match": command.if_match, "activity": command.activity, "group": group})  # fmt: skip

    def answered(self, command: Command) -> None:
        self._line({"answered": command.token, "outcome": command.outcome, "ended": command.ended,
                    "activity": command.activity, "version": command.version})  # fmt: skip

    def read(self, read: Read) -> None:
        self._line({"read": asdict(read)})

    def fault(self, what: str, at: float) -> None:
        self._line({"fault": what, "at": at})

    def _line(self, said: Mapping[str, Any]) -> None:
        line = json.dumps(said) + "\n"
        with self._lock:
            self._file.write(line)


def load(path: Path) -> History:
    """A history as the file tells it. A command without an answer is ambiguous."""
    history = History({}, [], {})
    for said in _lines(path):
        if (token := said.get("invoked")) is not None:
            given = {name: said[name] for name in ("writer", "kind", "began", "if_match", "activity")}
            history.commands[token] = Command(token, **given)
            if said["group"] is not None:
                history.groups[token] = said["group"]
        elif (token := said.get("answered")) is not None:
            given = {name: said[name] for name in ("ended", "activity", "version")}
            history.commands[token] = replace(history.commands[token], outcome=Outcome(said["outcome"]), **given)
        elif "read" in said:
            read = said["read"]
            seen = {key: (version, subject) for key, (version, subject) in read.pop("seen").items()}
            history.reads.append(Read(**read, seen=seen))
    return history


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
