"""What the service is to reach, and how to tell from the results. Source: the issue "Fast", and the line of issue 2."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.results import Figure, Results

Value = Callable[[Results], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound for a value; at least or at most."""

    what: str
    value: Value
    bound: float
    unit: str = "x"
    at_most: bool = False

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound


def _ratio(scenario: str, other: str, rate: Callable[[Figure], float]) -> Value:
    def value(results: Results) -> float | None:
        ours, theirs = results.figure(scenario, "service"), results.figure(scenario, other)
        return None if ours is None or theirs is None else rate(ours) / rate(theirs)

    return value


def _times(scenario: str, title: str, other: str, bound: float) -> Goal:
    """So many times the answers a second of another target."""
    of = {"crud": "the CRUD peer", "stock": "the stock peer", "null": "`null`", "echo": "`echo`"}[other]
    return Goal(f"{title}, of {of}", _ratio(scenario, other, lambda figure: figure.rate), bound)


def _tail(scenario: str, title: str) -> Goal:
    def value(results: Results) -> float | None:
        ours = results.figure(scenario, "service")
        return None if ours is None else ours.p99 / ours.p50

    return Goal(f"{title}, p99 of p50", value, 3.0, at_most=True)


def _growth(scenario: str, title: str) -> Goal:
    """The p50 with a million activities against the p50 with ten thousand."""

    def value(results: Results) -> float | None:
        few = results.figure(f"{scenario}, growing", "service", 10_000)
        many = results.figure(f"{scenario}, growing", "service", 1_000_000)
        return None if few is None or many is None else many.p50 / few.p50

    return Goal(f"{title}, p50 from 10,000 to 1,000,000", value, 1.5, at_most=True)


def _slowest(scenario: str, title: str) -> Goal:
    def value(results: Results) -> float | None:
        many = results.figure(f"{scenario}, growing", "service", 1_000_000)
        return None if many is None else many.p95

    return Goal(f"{title}, p95 with 1,000,000", value, 60.0, "ms", at_most=True)


def _fact(name: str, title: str, bound: float, unit: str, *, at_most: bool = False, rows: int = 0) -> Goal:
    def value(results: Results) -> float | None:
        fact = results.fact(name)
        return None if fact is None or fact.rows < rows else fact.value

    return Goal(title, value, bound, unit, at_most)


def _history(results: Results) -> float | None:
    long, fresh = (results.figure(f"history of {n}", "service") for n in ("1,000", "1"))
    return None if long is None or fresh is None else long.p50 / fresh.p50


def _cold(results: Results) -> float | None:
    long, fresh = (results.fact(f"first command, {what}") for what in ("1,000 events", "fresh"))
    return None if long is None or fresh is None else long.value / fresh.value


GOALS = (
    _times("create", "create", "echo", 0.60),
    _times("create", "create", "crud", 5.0),
    _times("create", "create", "stock", 4.0),
    _times("create", "create (issue 2)", "stock", 2.5),
    _times("reschedule", "reschedule", "crud", 4.0),
    _times("complete", "complete", "crud", 4.0),
    _times("patch", "patch", "crud", 4.0),
    *(_tail(name, name) for name in ("create", "reschedule", "complete", "patch")),
    _times("detail", "detail", "null", 0.60),
    _times("detail", "detail", "crud", 4.5),
    _times("list", "list page", "null", 0.28),
    _times("list", "list page", "crud", 6.0),
    _times("overdue", "overdue", "crud", 5.5),
    _times("rare-word", "search, rare word", "crud", 6.0),
    _times("two-words", "search, two words", "crud", 6.0),
    _times("common-word", "search, common word", "crud", 3.5),
    _times("misspelt", "search, misspelt", "crud", 10.0),
    *(_growth(name, name) for name in ("create", "detail", "list", "cursor", "overdue", "rare-word")),
    *(_slowest(name, name) for name in ("common-word", "deep-filter", "page-200")),
    Goal("command upon 1,000 events, of one upon a fresh one", _history, 3.0, at_most=True),
    Goal("the same, first one after a restart", _cold, 3.0, at_most=True),
    _fact("live catch-up", "projector, live catch-up", 20_000, "events/s"),
    _fact("rebuild of the list", "rebuild, the list", 40_000, "events/s"),
    _fact("rebuild of all tables", "rebuild, all tables", 40_000, "events/s"),
    _fact("as_of, 1,000 events, p95", "as_of one activity of 1,000 events, p95 (issue 5)", 20.0, "ms", at_most=True),
    _fact("append to visible, p95", "append to visible, p95", 30.0, "ms", at_most=True),
    _fact("import", "import of a file", 3_000, "lines/s"),
    _fact("memory of the worker", "memory of a worker, 1,000,000", 120.0, "MB", at_most=True, rows=1_000_000),
    _fact("memory of the projector", "memory of the projector, 1,000,000", 150.0, "MB", at_most=True, rows=1_000_000),
    _fact("start-up", "start-up, 1,000,000", 3.0, "s", at_most=True, rows=1_000_000),
)
