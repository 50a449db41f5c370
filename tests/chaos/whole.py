"""The whole suite, told and kept: what one command repeats."""

import json
import random
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from application.postgres.embedded import EmbeddedPostgres
from chaos.arena import Arena
from chaos.campaign import Campaign, drawn, run
from chaos.faults import KILLS, OTHERS, nothing, terminate_backends
from chaos.history import Outcome
from chaos.network import cutting, proxied
from chaos.replica import replicated

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "chaos.json"
Told = Callable[[str], None]


class Suite:
    """The parts, each with an arena of its own below `folder`."""

    def __init__(self, folder: Path, seed: int, rounds: int, told: Told) -> None:
        self._folder, self._seed, self._rounds, self._told = folder, seed, rounds, told

    def parts(self) -> Iterator[tuple[str, Campaign]]:
        for name, part in (
            ("kill -9 of worker, projector, PostgreSQL, everything, parent", self._kills),
            ("backends terminated each second, clock jumps, rebuilds", self._others),
            ("commits and acknowledgements lost on the way", self._network),
            ("standby promoted", self._failover),
        ):
            self._told(name)
            yield name, part()

    def _place(self, name: str) -> Path:
        place = self._folder / name
        place.mkdir()
        place.chmod(0o755)
        return place

    def _kills(self) -> Campaign:
        with Arena(self._place("kills")) as arena:
            return run(arena, self._seed, drawn(self._seed, self._rounds, KILLS), self._folder, self._told)

    def _others(self) -> Campaign:
        faults = drawn(self._seed, self._rounds, {"clock": OTHERS["clock"], "rebuild": OTHERS["rebuild"]})
        with Arena(self._place("others"), planted=["clock"]) as arena:
            return run(arena, self._seed + 1, faults, self._folder, self._told, terminate_backends)

    def _network(self) -> Campaign:
        place = self._place("network")
        with (
            EmbeddedPostgres(place / "database") as server,
            proxied(server.dsn()) as proxy,
            Arena(place, url=proxy.dsn) as arena,
        ):
            faults = drawn(self._seed, self._rounds, cutting(proxy))
            return run(arena, self._seed + 2, faults, self._folder, self._told)

    def _failover(self) -> Campaign:
        place = self._place("failover")
        with replicated(place) as pair, Arena(place, url=pair.url) as arena:
            faults = [("load", nothing), ("failover", pair.fail_over), *[("load", nothing)] * 3]
            return run(arena, self._seed + 3, faults, self._folder, self._told)


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="faults of a part (50)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="replays the commands and faults")
    parser.add_argument("--folder", type=Path, help="where to work, and keep the histories (a temporary folder)")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="activities-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # PostgreSQL runs as another user than root
    screen, began = Console(stderr=True), time.monotonic()

    def told(what: str) -> None:
        screen.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {what}", highlight=False)

    told(f"seed {asked.seed}, {asked.rounds} rounds a part, in {folder}")
    campaigns = dict(Suite(folder, asked.seed, asked.rounds, told).parts())
    _show(campaigns)
    RESULTS.write_text(json.dumps(_facts(asked.seed, campaigns), indent=1) + "\n", encoding="utf-8")
    broken = any(campaign.violations for campaign in campaigns.values())
    if not broken and asked.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return int(broken)


def _show(campaigns: dict[str, Campaign]) -> None:
    table = Table(title="Chaos", title_justify="left")
    for head in ("part", "faults", "commands ok", "refused", "ambiguous", "reads", "lost", "doubled", "other", "back"):
        table.add_column(head, justify="left" if head == "part" else "right", overflow="fold")
    for name, c in campaigns.items():
        other = len(c.violations) - c.lost - c.duplicated
        outcomes = [c.outcomes[outcome] for outcome in (Outcome.OK, Outcome.REFUSED, Outcome.AMBIGUOUS)]
        slowest = f"{max(c.outages, default=0):.1f} s"
        table.add_row(name, *map(str, [c.struck.total(), *outcomes, c.reads, c.lost, c.duplicated, other, slowest]))
    out = Console(width=None if sys.stdout.isatty() else 160)
    out.print(table)
    for name, c in campaigns.items():
        for violation in c.violations[:20]:
            out.print(f"[bold red]{name}[/]: {violation}", highlight=False)
        if c.violations:
            out.print(f"  {len(c.violations)} in all; replay with --seed; history in {c.history}")


def _facts(seed: int, campaigns: dict[str, Campaign]) -> dict[str, object]:
    return {
        "seed": seed,
        "parts": {
            name: {
                "faults": dict(c.struck),
                "outcomes": {outcome.value: c.outcomes[outcome] for outcome in Outcome},
                "events": c.events,
                "reads": c.reads,
                "reads that said they were behind": c.stale_and_said_so,
                "lost": c.lost,
                "duplicated": c.duplicated,
                "violations": len(c.violations),
                "slowest recovery, seconds": round(max(c.outages, default=0.0), 2),
            }
            for name, c in campaigns.items()
        },
    }
