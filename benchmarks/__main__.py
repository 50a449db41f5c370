"""`python -m benchmarks`: measure, show, keep as JSON, and fill RESULTS.md if asked."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from application.event_store.hazards import refuse_unsafe_settings
from benchmarks.load.wrk import LoadFailed, find_wrk
from benchmarks.plan import GROWTH, PARTS, Plan, plan_of
from benchmarks.report.page import write_page
from benchmarks.report.screen import Screen
from benchmarks.results import Results
from benchmarks.run import comparison, growth
from benchmarks.scenarios.growth import MORE
from benchmarks.scenarios.reads import READS
from benchmarks.scenarios.selfcheck import Implausible
from benchmarks.scenarios.writes import WRITES
from benchmarks.targets.crew import Died
from benchmarks.targets.every import TARGETS

HERE = Path(__file__).parent
RESULTS = HERE / "results"
_SCENARIOS = dict.fromkeys(scenario.name for scenario in (*READS, *MORE, *WRITES))
NAMES = (*PARTS, *_SCENARIOS, "catch-up", "rebuild", "visible", "import")


def main() -> int:
    asked = _asked()
    try:
        find_wrk()
        if not asked.report:
            _measure(asked)
        if asked.write_results:
            kept = [Results.read(path) for name in ("latest", "growth") if (path := RESULTS / f"{name}.json").exists()]
            write_page(HERE / "RESULTS.md", kept)
    except (LoadFailed, Implausible, Died) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(asked: Namespace) -> None:
    screen = Screen()
    plan = plan_of(
        rows=asked.rows or (GROWTH if asked.growth else GROWTH[:1]),
        targets=asked.targets or tuple(TARGETS),
        only=asked.only,
        quick=asked.quick,
    )
    results = (growth if asked.growth else comparison)(plan, screen)
    screen.show(results)
    path = asked.output or RESULTS / f"{_name(asked, plan)}.json"
    results.write(path)
    screen.doing(f"kept in {path}")


def _name(asked: Namespace, plan: Plan) -> str:
    """Only a run of everything may take the place of the one before."""
    if asked.quick or asked.targets or plan.only or asked.rows:
        return "partial"
    return "growth" if asked.growth else "latest"


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=f"Names: {', '.join(NAMES)}.")
    say = parser.add_argument
    say("--quick", action="store_true", help="about two minutes: shorter bursts, fewer rounds")
    say("--only", nargs="+", metavar="NAME", choices=NAMES, default=(), help="parts or scenarios, see below")
    say("--rows", nargs="+", type=int, metavar="N", help="activities of the largest organisation (10000)")
    say("--targets", nargs="+", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS))
    say("--growth", action="store_true", help="10,000 to 1,000,000 activities instead, side by side; takes much longer")
    say("--output", type=Path, metavar="FILE", help="where to keep the results as JSON")
    say("--write-results", action="store_true", help="fill RESULTS.md from the last runs of everything")
    say("--report", action="store_true", help="measure nothing; with --write-results: from what is kept")
    return parser.parse_args()


if __name__ == "__main__":
    refuse_unsafe_settings(os.environ)
    sys.exit(main())
