"""One run: the targets are started, checked against each other, then measured, part by part."""

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import Others, commit, machine
from benchmarks.plan import Plan
from benchmarks.report.screen import Screen
from benchmarks.results import Results
from benchmarks.scenarios.alone import Alone
from benchmarks.scenarios.growth import GROWTH
from benchmarks.scenarios.projector import stock_catching_up
from benchmarks.scenarios.reads import READS
from benchmarks.scenarios.scenario import Measuring, Scenario
from benchmarks.scenarios.selfcheck import check
from benchmarks.scenarios.writes import WRITES
from benchmarks.targets.every import running, sizes
from benchmarks.targets.service import Service
from benchmarks.targets.stock import Stock
from benchmarks.targets.target import Target


def comparison(plan: Plan, screen: Screen) -> Results:
    """The targets beside each other, with the plan's first data set; then what concerns our service only."""
    results, rows = Results(), plan.rows[0]
    with _about(results, "Comparison", plan), _folder() as folder:
        screen.doing(f"starting {', '.join(plan.targets)} with {rows:,} activities")
        with running(plan.targets, rows, folder, plan.now) as targets:
            screen.doing(f"they agree in {check(targets)} comparisons")
            _measure("reads", READS, targets, plan, screen, results)
            _measure("writes", WRITES, targets, plan, screen, results)
            stock, service = targets.get("stock"), targets.get("service")
            if isinstance(stock, Stock) and plan.wants("projector", "catch-up"):
                results.facts += stock_catching_up(stock)
            if isinstance(service, Service):
                Alone(service, plan, screen, results).measure()
    return results


def growth(plan: Plan, screen: Screen) -> Results:
    """How answers slow down from one data set of the plan to the next."""
    results = Results()
    with _about(results, "Growth", plan), _folder() as folder, sizes(plan, folder, screen.doing) as targets:
        smallest = {t.name: t for t in targets.values() if t.main.rows == min(plan.rows)}
        screen.doing(f"they agree in {check(smallest)} comparisons")
        _measure("growth", GROWTH, targets, plan, screen, results)
        for target in targets.values():
            if isinstance(target, Service):
                Alone(target, plan, screen, results).footprint()
    return results


def _measure(
    part: str,
    scenarios: Iterable[Scenario],
    targets: Mapping[str, Target],
    plan: Plan,
    screen: Screen,
    results: Results,
) -> None:
    for scenario in scenarios:
        taking_part = {label: target for label, target in targets.items() if target.name in scenario.targets}
        if taking_part and plan.wants(part, scenario.name.partition(",")[0]):
            screen.doing(scenario.title)
            results.figures += Measuring(scenario, taking_part, plan).figures()


@contextmanager
def _about(results: Results, title: str, plan: Plan) -> Iterator[None]:
    """Note where, when, how and of what the results are."""
    began, others = time.monotonic(), Others()
    results.about = {"title": title, "machine": machine(), "commit": commit()}
    yield
    results.about |= {
        "minutes": round((time.monotonic() - began) / 60, 1),
        "others_percent": round(others.share() * 100),
        "finished_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "rows": list(plan.rows),
        "only": list(plan.only),
    }


@contextmanager
def _folder() -> Iterator[Path]:
    """Where the targets live. PostgreSQL runs as another user than root, who must be able to enter."""
    with tempfile.TemporaryDirectory(prefix="activities-benchmarks-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
