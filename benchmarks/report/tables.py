"""The tables of a run, as rows of text: one source for the terminal and for RESULTS.md."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.report.goals import GOALS
from benchmarks.results import Figure, Results

_CEILING = {"echo", "null"}
_PROCESSES = ("worker", "database", "projector")


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(results: Results) -> list[Table]:
    """What there is to show, in the order of the story: goals, comparison, growth, facts."""
    found = (_goals(results), _comparison(results), _costs(results), _growth(results), _facts(results))
    return [table for table in found if table.rows]


def _goals(results: Results) -> Table:
    rows = []
    for goal in GOALS:
        if (value := goal.value(results)) is not None:
            bound = f"{'at most' if goal.at_most else 'at least'} {_number(goal.bound, goal.unit)}"
            rows.append((goal.what, _number(value, goal.unit), bound, "met" if goal.met(value) else "NOT MET"))
    return Table("Goals", ("what", "measured", "wanted", ""), rows)


def _comparison(results: Results) -> Table:
    """A row for each scenario: our ratio to each of the others, and in small what each did."""
    head = ("scenario", "of the ceiling", "x CRUD", "x stock", "answers/s", "p50 / p99 ms")
    return Table("Beside the others", head, list(_compared(results)))


def _compared(results: Results) -> Iterator[tuple[str, ...]]:
    names = dict.fromkeys(f.scenario for f in results.figures if not f.scenario.endswith("growing"))
    for name in names:
        found = [f for f in results.figures if f.scenario == name]
        ours = next((f for f in found if f.target == "service"), None)
        ratios = {f.target: f"{ours.rate / f.rate:.2f}" for f in found if ours is not None and f is not ours}
        ceiling = next((ratio for target, ratio in ratios.items() if target in _CEILING), "")
        yield (
            f"{name} ({found[0].connections})",
            ceiling,
            ratios.get("crud", ""),
            ratios.get("stock", ""),
            _each(found, lambda f: f"{f.rate:,.0f}"),
            _each(found, lambda f: f"{f.p50:.1f}/{f.p99:.1f}"),
        )


def _costs(results: Results) -> Table:
    """What an answer costs, whoever else is busy on the machine."""
    rows = [
        (f.scenario, f.target, *(f"{f.costs[name]:,.0f}" if name in f.costs else "" for name in _PROCESSES))
        for f in results.figures
        if f.costs and not f.scenario.endswith("growing")
    ]
    return Table("Processor time of an answer, in microseconds", ("scenario", "target", *_PROCESSES), rows)


def _growth(results: Results) -> Table:
    growing = [f for f in results.figures if f.scenario.endswith(", growing")]
    sizes = sorted({f.rows for f in growing})
    rows = []
    for name, target in dict.fromkeys((f.scenario, f.target) for f in growing):
        found = [results.figure(name, target, size) for size in sizes]
        cells = ["" if f is None else f"{f.p50:.2f} / {f.p95:.2f}" for f in found]
        grew = f"{found[-1].p50 / found[0].p50:.2f}" if found[0] and found[-1] and len(sizes) > 1 else ""
        rows.append((name.removesuffix(", growing"), target, *cells, grew))
    head = ("one caller, p50 / p95 ms", "target", *(f"{size:,}" for size in sizes), "p50 grew by")
    return Table("Growth", head, rows)


def _facts(results: Results) -> Table:
    rows = [
        (fact.name, fact.target, f"{fact.rows:,}", _number(fact.value, fact.unit), fact.note) for fact in results.facts
    ]
    return Table("Besides", ("what", "target", "activities", "measured", ""), rows)


def _each(found: list[Figure], said: Callable[[Figure], str]) -> str:
    return ", ".join(f"{figure.target} {said(figure)}" for figure in found)


def _number(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.2f}"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
