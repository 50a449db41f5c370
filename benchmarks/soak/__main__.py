"""`python -m benchmarks.soak --minutes 30`: load at 60 % of capacity; does anything grow, lag, fail or drift?

A table, benchmarks/results/soak.json, and exit code 1 where a bound is broken.
"""

import json
import os
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

import psycopg
import uvloop
from rich.console import Console
from rich.table import Table

from application.event_store import keyring
from application.event_store.hazards import refuse_unsafe_settings
from application.postgres.embedded import EmbeddedPostgres
from application.settings import Settings
from benchmarks.data.sample import organizations
from benchmarks.machine import Others, commit, machine
from benchmarks.plan import plan_of
from benchmarks.report.screen import Screen
from benchmarks.soak.gauges import Gauges
from benchmarks.soak.load import Answers, Load
from benchmarks.soak.mix import COMMANDS, SHARES, Mix
from benchmarks.soak.verdict import Verdict, lag, latencies, slopes
from benchmarks.targets.service import Service
from projections.read_models import READ_MODELS
from projections.verify import verify

RESULTS = Path(__file__).parents[1] / "results" / "soak.json"
SHARE_OF_CAPACITY = 0.6
CONNECTIONS = 16
LONGEST_WARM_UP = 300.0
_TELL_EVERY = 15.0
_READY_SECONDS = 60.0


class Soak:
    """One run on a service of its own, filled beforehand and served by `activities serve` as users start it."""

    def __init__(self, asked: Namespace, screen: Screen) -> None:
        self._asked, self._screen = asked, screen
        self._told_at = 0.0

    def run(self, folder: Path) -> Verdict:
        keyring.use(Settings(data_dir=folder / "service"))  # the key that `activities serve` will find there
        now = plan_of(rows=(), targets=(), only=(), quick=False).now
        with Service(folder / "service", organizations(self._asked.rows, now)) as service:
            self._screen.doing(f"filled with {self._asked.rows:,} activities in {service.loading_seconds:.0f} s")
            mix = Mix(service)
            port, root = self._serve(service)
            with EmbeddedPostgres(service.folder) as server:  # a share in the server that serve runs
                return self._measure(Load(port, mix), Gauges(root, server.dsn()))

    def _serve(self, service: Service) -> tuple[int, int]:
        """The port, and the process all others descend from."""
        service.crew.stop()
        service.server.stop()
        said = service.folder / "serve.log"
        arguments = ("serve", "--data-dir", str(service.folder), "--port", "0", "--workers", str(self._asked.workers))
        env = {name: value for name, value in service.environment.items() if name != "ACTIVITIES_DATABASE_URL"}
        service.crew.start("serve", "api.cli", *arguments, env=env)
        patience = service.crew.within(_READY_SECONDS, "activities serve is not ready")
        while "ready at" not in said.read_text() and patience.left():
            pass
        return int(said.read_text().rpartition(":")[2]), service.crew.pids()["serve"]

    async def _loaded(self, load: Load, gauges: Gauges) -> tuple[float, Answers, Answers]:
        """Capacity in answers a second, what was answered while it was looked for, and what then."""
        asked = self._asked
        await load.at_full_speed(CONNECTIONS, 3.0)
        full = await load.at_full_speed(CONNECTIONS, asked.capacity_seconds)
        capacity = full.count / asked.capacity_seconds
        rate = capacity * SHARE_OF_CAPACITY
        self._screen.doing(f"capacity {capacity:,.0f} answers/s; {rate:,.0f} requests/s for {asked.minutes:g} minutes")
        self._began = time.monotonic()
        with gauges:
            answers = await load.at_rate(rate, asked.minutes * 60, lambda answers: self._tell(answers, gauges))
        load.close()
        return capacity, full, answers

    def _measure(self, load: Load, gauges: Gauges) -> Verdict:
        asked = self._asked
        capacity, full, answers = uvloop.run(self._loaded(load, gauges))
        self._screen.doing("checking every row of every read table against the log")
        drift = [row for verdict in self._verify(gauges.dsn) for row in verdict] + _alarms(gauges.dsn)
        warm_up = min(LONGEST_WARM_UP, asked.minutes * 20)
        findings = [
            *slopes(gauges.memory, warm_up),
            *lag(gauges.lags),
            *latencies(answers.latencies),
        ]
        facts = {
            "minutes": asked.minutes,
            "activities at the start": asked.rows,
            "workers": asked.workers,
            "capacity": round(capacity),
            "rate": round(capacity * SHARE_OF_CAPACITY),
            "answers": answers.count,
            "commands": sum(len(answers.latencies[kind]) for kind in COMMANDS),
            "warm-up, seconds": warm_up,
            "of a hundred requests": SHARES,
        }
        errors = full.errors + answers.errors
        return Verdict(facts, findings, dict(errors), full.examples + answers.examples, drift)

    def _verify(self, dsn: str) -> Iterator[list[str]]:
        for verdict in verify(dsn, READ_MODELS.values(), lambda events: None):
            found = [f"{verdict.read_model}: {row.key} is {row.how}" for row in verdict.drift]
            yield [*found, *[f"{verdict.read_model}: {verdict.wrong_counts} counts"] * bool(verdict.wrong_counts)]

    def _tell(self, answers: Answers, gauges: Gauges) -> None:
        now = time.monotonic()
        if now - self._told_at < _TELL_EVERY:
            return
        self._told_at = now
        sizes = ", ".join(f"{name} {samples[-1][1]:.0f} MB" for name, samples in sorted(gauges.memory.items()))
        errors = f", {answers.errors.total()} errors" if answers.errors else ""
        self._screen.doing(f"{(now - self._began) / 60:4.1f} min, {answers.count:,} answers{errors}; {sizes}")


def _alarms(dsn: str) -> list[str]:
    """What the signer would not sign."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = connection.execute("select organization_id, position, reason from activities.audit_alarms").fetchall()
    return [
        f"the signer's alarm: {organization}, event {position} {reason}" for organization, position, reason in found
    ]


def main() -> int:
    asked = _asked()
    screen, others = Screen(), Others()
    with tempfile.TemporaryDirectory(prefix="activities-soak-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user than root
        verdict = Soak(asked, screen).run(Path(folder))
    verdict.about |= {"commit": commit(), "machine": machine(), "others_percent": round(100 * others.share())}
    asked.output.write_text(json.dumps(verdict.told(), indent=1) + "\n", encoding="utf-8")
    show(verdict)
    return 0 if verdict.clean else 1


def show(verdict: Verdict) -> None:
    table = Table(title=f"Soak: {verdict.about['minutes']:g} minutes at {verdict.about['rate']:,} requests a second")
    for head, side in (("what", "left"), ("measured", "right"), ("bound", "right"), ("", "left")):
        table.add_column(head, justify=side)  # type: ignore[arg-type]  # these are two of its words
    for f in verdict.findings:
        bound = "" if f.bound is None else f"< {f.bound:g} {f.unit}"
        met = "" if f.bound is None else "[green]met[/]" if f.met else "[bold red]not met[/]"
        table.add_row(f.name, f"{f.value:,.2f} {f.unit}", bound, met)
    for name, found in (
        ("errors", sum(verdict.errors.values())),
        ("rows that are not what the log says", len(verdict.drift)),
    ):
        table.add_row(name, str(found), "0", "[bold red]not met[/]" if found else "[green]met[/]")
    out = Console(width=None if sys.stdout.isatty() else 120)
    out.print(table)
    for line in [*verdict.examples[:5], *verdict.drift[:5]]:
        out.print(line, highlight=False)


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    say = parser.add_argument
    say("--minutes", type=float, default=30.0, metavar="M", help="length of the load (30)")
    say("--rows", type=int, default=10_000, metavar="N", help="activities at the start (10000)")
    say("--workers", type=int, default=1, metavar="N", help="API workers (1)")
    say("--capacity-seconds", type=float, default=10.0, metavar="S", help="how long capacity is looked for (10)")
    say("--output", type=Path, default=RESULTS, metavar="FILE", help="where to keep the figures (results/soak.json)")
    return parser.parse_args()


if __name__ == "__main__":
    refuse_unsafe_settings(os.environ)
    sys.exit(main())
