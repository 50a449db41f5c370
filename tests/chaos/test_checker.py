"""The checker on made-up histories: silent on a good one, and each broken promise found by its name."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chaos.checker import Broken, check
from chaos.evidence import Fact
from chaos.history import Command, History, Outcome, Read, Recorder, load

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OK, REFUSED, AMBIGUOUS = Outcome.OK, Outcome.REFUSED, Outcome.AMBIGUOUS


def fact(position: int, word: str, *, stream: str = "a", version: int = 1, subject: str = "one") -> Fact:
    return Fact(stream, version, position, NOON + timedelta(seconds=position), frozenset([word]), subject, True)


CREATED = Command("one", 1, "create", began=0, ended=1, outcome=OK, activity="a", version=1)
CHANGED = Command("two", 1, "note", began=2, ended=3, outcome=OK, activity="a", version=2)
LOG = [fact(1, "one"), fact(2, "two", version=2)]
SEEN = Read(reader=1, question="detail", began=4, ended=5, seen={"a": (2, "one")}, asked="a")


def broken(
    *commands: Command, log: Sequence[Fact] = LOG, reads: Sequence[Read] = (), drift: Sequence[str] = ()
) -> list[Broken]:
    groups = {"one": "g"}
    history = History({command.token: command for command in commands}, list(reads), groups)
    return [violation.broken for violation in check(history, log, drift)]


def test_a_good_history_is_good() -> None:
    assert broken(CREATED, CHANGED, reads=[SEEN]) == []


def test_what_is_ambiguous_may_have_happened_or_not() -> None:
    changed = replace(CHANGED, outcome=AMBIGUOUS, ended=float("inf"))
    assert broken(CREATED, changed) == []
    assert broken(CREATED, changed, log=LOG[:1]) == []


def test_an_acknowledged_command_that_is_not_there_is_lost() -> None:
    assert broken(CREATED, CHANGED, log=LOG[:1]) == [Broken.LOST]


def test_what_is_there_twice_is_found() -> None:
    twice = [*LOG, fact(3, "two", version=3)]
    assert broken(CREATED, CHANGED, log=twice) == [Broken.DUPLICATED]
    assert broken(CREATED, replace(CHANGED, outcome=AMBIGUOUS), log=twice) == [Broken.DUPLICATED]


def test_what_was_refused_must_not_be_there() -> None:
    assert broken(CREATED, replace(CHANGED, outcome=REFUSED, version=None)) == [Broken.REFUSED]


def test_an_event_nobody_asked_for_is_found() -> None:
    assert broken(CREATED) == [Broken.UNASKED]


def test_an_acknowledgement_tells_the_version_that_was_made() -> None:
    assert broken(CREATED, replace(CHANGED, version=3)) == [Broken.OTHER_VERSION]


def test_an_if_match_names_the_version_before() -> None:
    assert broken(CREATED, replace(CHANGED, if_match=1)) == []
    assert broken(CREATED, replace(CHANGED, if_match=7)) == [Broken.PRECONDITION]


def test_holes_and_doubles_are_found() -> None:
    assert broken(CREATED, CHANGED, log=[LOG[0], replace(LOG[1], position=3)]) == [Broken.DENSE]
    other = replace(CHANGED, version=3)
    assert broken(CREATED, other, log=[LOG[0], replace(LOG[1], version=3)]) == [Broken.DENSE]


def test_time_that_runs_backwards_is_found() -> None:
    assert broken(CREATED, CHANGED, log=[LOG[0], replace(LOG[1], recorded_at=NOON)]) == [Broken.TIME]


def test_what_was_acknowledged_before_stands_before() -> None:
    late = replace(CREATED, token="late", activity="b", began=10, ended=11)
    log = [fact(1, "late", stream="b"), fact(2, "one"), fact(3, "two", version=2)]
    assert broken(CREATED, CHANGED, late, log=log) == [Broken.ORDER]


def test_a_read_older_than_an_acknowledged_write_is_found() -> None:
    old = replace(SEEN, seen={"a": (1, "one")})
    assert broken(CREATED, CHANGED, reads=[old]) == [Broken.STALE]
    assert broken(CREATED, CHANGED, reads=[replace(old, began=2.5)]) == [], "the write was not acknowledged yet"
    assert broken(CREATED, CHANGED, reads=[replace(old, behind=1)]) == [], "it said so itself"


def test_a_list_shows_all_that_was_acknowledged() -> None:
    of_group = Read(reader=1, question="list", began=4, ended=5, seen={}, group="g")
    assert broken(CREATED, CHANGED, reads=[of_group]) == [Broken.STALE]


def test_a_total_counts_what_was_acknowledged_and_nothing_else() -> None:
    total = Read(reader=1, question="total", began=4, ended=5, seen={}, total=1)
    assert broken(CREATED, CHANGED, reads=[total]) == []
    assert broken(CREATED, CHANGED, reads=[replace(total, total=0)]) == [Broken.STALE]
    assert broken(CREATED, CHANGED, reads=[replace(total, total=2)]) == [Broken.UNTRUE]


def test_a_reader_never_goes_back_in_time() -> None:
    """Neither read is older than what was acknowledged to anybody, and still the second one is older than the first."""
    unanswered = replace(CHANGED, outcome=AMBIGUOUS, ended=float("inf"))
    back = replace(SEEN, began=6, ended=7, seen={"a": (1, "one")})
    assert broken(CREATED, unanswered, reads=[SEEN, back]) == [Broken.MONOTONIC]
    assert broken(CREATED, unanswered, reads=[SEEN, replace(back, reader=2)]) == []


def test_a_state_the_log_does_not_know_is_found() -> None:
    assert broken(CREATED, CHANGED, reads=[replace(SEEN, seen={"a": (2, "another")})]) == [Broken.UNTRUE]
    assert broken(CREATED, CHANGED, reads=[replace(SEEN, seen={"a": (3, "one")})]) == [Broken.UNTRUE]


def test_a_table_that_is_not_the_fold_is_told() -> None:
    assert broken(CREATED, CHANGED, drift=["overdue: a is missing"]) == [Broken.DRIFT]


def test_a_history_is_read_back_as_it_was_written_down(tmp_path: Path) -> None:
    unanswered = Command("three", 2, "move", began=4, if_match=2, activity="a")
    with Recorder(tmp_path / "history") as recorder:
        recorder.invoked(replace(CREATED, activity=None, version=None, outcome=AMBIGUOUS), "g")
        recorder.answered(CREATED)
        recorder.fault("worker", 1.5)
        recorder.invoked(unanswered)
        recorder.read(SEEN)
    read_back = load(tmp_path / "history")
    assert read_back.commands == {"one": CREATED, "three": unanswered}
    assert read_back.reads == [SEEN]
    assert read_back.groups == {"one": "g"}
