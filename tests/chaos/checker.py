"""The promises, held against what clients saw and what is in the log. Pure: it can be tested on made-up histories."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chaos.evidence import Fact
from chaos.history import Command, History, Outcome, Read
from chaos.timeline import Timeline


class Broken(StrEnum):
    """Every promise that can be found broken."""

    LOST = "an acknowledged command is not in the log"
    DUPLICATED = "a command is in the log more than once"
    REFUSED = "a refused command is in the log"
    UNASKED = "an event nobody asked for"
    OTHER_VERSION = "a command made another version than its acknowledgement said"
    PRECONDITION = "a command was recorded upon another version than its If-Match named"
    DENSE = "positions or versions have a hole or a double"
    TIME = "time ran backwards in the log"
    ORDER = "a command stands before one that was acknowledged before it began"
    DRIFT = "a read table is not the fold of the log"
    STALE = "a read was older than a write acknowledged before it began"
    MONOTONIC = "a reader saw an older state after a newer one"
    UNTRUE = "a read showed what the log does not say"


@dataclass(frozen=True, slots=True)
class Violation:
    broken: Broken
    what: str

    def __str__(self) -> str:
        return f"{self.broken}: {self.what}"


def check(history: History, log: Sequence[Fact], drift: Iterable[str]) -> list[Violation]:
    """Everything that is not as promised; empty: all of it holds."""
    found = _Found(log)
    checks: tuple[Callable[[History, _Found], Iterator[Violation]], ...] = (
        _once,
        _versions,
        _dense,
        _order,
        _reads_are_fresh,
        _totals_are_fresh,
        _reads_are_monotonic,
        _reads_are_true,
    )
    violations = [violation for check in checks for violation in check(history, found)]
    return violations + [Violation(Broken.DRIFT, row) for row in drift]


class _Found:
    """The log, by the words in it."""

    def __init__(self, log: Sequence[Fact]) -> None:
        self.log = log
        self.by_word: dict[str, list[Fact]] = defaultdict(list)
        for fact in log:
            for word in fact.said:
                self.by_word[word].append(fact)

    def only(self, command: Command) -> Fact | None:
        facts = self.by_word.get(command.token, [])
        return facts[0] if len(facts) == 1 else None


def _once(history: History, found: _Found) -> Iterator[Violation]:
    for command in history.commands.values():
        times = len(found.by_word.get(command.token, ()))
        if times > 1:
            yield Violation(Broken.DUPLICATED, f"{command.kind} {command.token}, {times} times")
        elif command.outcome is Outcome.OK and not times:
            yield Violation(Broken.LOST, f"{command.kind} {command.token}")
        elif command.outcome is Outcome.REFUSED and times:
            yield Violation(Broken.REFUSED, f"{command.kind} {command.token}")
    for fact in found.log:
        if fact.of_activity and not fact.said & history.commands.keys():
            yield Violation(Broken.UNASKED, f"at position {fact.position}")


def _versions(history: History, found: _Found) -> Iterator[Violation]:
    for command in history.commands.values():
        if (fact := found.only(command)) is None:
            continue
        if command.outcome is Outcome.OK and (command.activity, command.version) != (fact.stream, fact.version):
            yield Violation(
                Broken.OTHER_VERSION, f"{command.token}: said {command.version}, recorded as {fact.version}"
            )
        if command.if_match is not None and fact.version != command.if_match + 1:
            yield Violation(
                Broken.PRECONDITION, f"{command.token}: upon {fact.version - 1} instead of {command.if_match}"
            )


def _dense(history: History, found: _Found) -> Iterator[Violation]:
    versions: Counter[str] = Counter()
    for place, fact in enumerate(found.log, start=1):
        versions[fact.stream] += 1
        if fact.position != place:
            yield Violation(Broken.DENSE, f"position {fact.position} is the log's number {place}")
        if fact.version != versions[fact.stream]:
            yield Violation(Broken.DENSE, f"{fact.stream} has version {fact.version} after {versions[fact.stream] - 1}")
    for earlier, later in zip(found.log, found.log[1:], strict=False):
        if later.recorded_at < earlier.recorded_at:
            yield Violation(Broken.TIME, f"at position {later.position}")


def _order(history: History, found: _Found) -> Iterator[Violation]:
    placed = [(fact.position, c) for c in history.commands.values() if (fact := found.only(c)) is not None]
    earliest_end_after = float("inf")
    for position, command in sorted(placed, key=lambda pair: pair[0], reverse=True):
        if earliest_end_after < command.began:
            yield Violation(Broken.ORDER, f"{command.token} at position {position}")
        if command.outcome is Outcome.OK:
            earliest_end_after = min(earliest_end_after, command.ended)


def _honest(reads: Iterable[Read]) -> Iterator[Read]:
    """Those that did not say themselves that they were behind."""
    return (read for read in reads if not read.behind)


def _reads_are_fresh(history: History, found: _Found) -> Iterator[Violation]:
    acknowledged = Timeline.of_versions(history.commands.values())
    members: dict[str, list[str]] = defaultdict(list)
    for token, group in history.groups.items():
        if (activity := history.commands[token].activity) is not None:
            members[group].append(activity)
    for read in _honest(history.reads):
        expected = members[read.group] if read.group is not None else [read.asked] if read.asked else []
        for activity in expected:
            least = acknowledged.at(activity, read.began)
            shown = read.seen[activity][0] if activity in read.seen else 0
            if shown < least:
                yield Violation(
                    Broken.STALE, f"{read.question} showed version {shown} of {activity} after {least} was acknowledged"
                )


def _totals_are_fresh(history: History, found: _Found) -> Iterator[Violation]:
    creates = [command for command in history.commands.values() if command.kind == "create"]
    acknowledged = sorted(command.ended for command in creates if command.outcome is Outcome.OK)
    begun = sorted(c.began for c in creates if c.outcome is not Outcome.REFUSED)
    for read in _honest(history.reads):
        if read.total is None:
            continue
        least, most = Timeline.before(acknowledged, read.began), Timeline.before(begun, read.ended)
        if read.total < least:
            yield Violation(Broken.STALE, f"{read.question} counted {read.total} after {least} were acknowledged")
        if read.total > most:
            yield Violation(Broken.UNTRUE, f"{read.question} counted {read.total} when {most} had been asked for")


def _reads_are_monotonic(history: History, found: _Found) -> Iterator[Violation]:
    """Reader by reader: each asks one question after the other, on whatever worker takes it."""
    newest: dict[tuple[int, str], int] = {}
    for read in sorted(_honest(history.reads), key=lambda read: read.began):
        for activity, (version, _) in read.seen.items():
            if version < newest.get((read.reader, activity), 0):
                yield Violation(
                    Broken.MONOTONIC,
                    f"reader {read.reader}, {read.question}: version {version} of {activity} "
                    f"after {newest[read.reader, activity]}",
                )
            newest[read.reader, activity] = max(version, newest.get((read.reader, activity), 0))


def _reads_are_true(history: History, found: _Found) -> Iterator[Violation]:
    """A state that was shown once is in the log for ever; even a read that was behind shows a true state."""
    subjects = {(fact.stream, fact.version): fact.subject for fact in found.log}
    for read in history.reads:
        for activity, (version, subject) in read.seen.items():
            if subjects.get((activity, version)) != subject:
                yield Violation(Broken.UNTRUE, f"{read.question} showed version {version} of {activity} as {subject!r}")
