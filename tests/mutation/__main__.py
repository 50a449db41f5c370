"""`python -m tests.mutation [ROOM ...]`: mutate a room of the house and see how many mutants its tests kill.

Rooms, what is mutated and which tests must notice are in pyproject.toml, `[tool.mutation.ROOM]`. Each room is worked on
in a copy of the checkout, by mutmut (`pip install -e '.[dev,mutation]'`). What survives is shown as diffs, then there
is a table and benchmarks/results/mutation.json; exit code 1 where a room has less than the bound.

Rooms whose tests need a database take hours. `--sample N` tries N mutants of each, drawn by chance, and says between
which figures the whole room's is to be expected; `--seed` draws the same ones again.
"""

import json
import os
import sys
import tomllib
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own folder, as pytest has it

from mutation.checkout import ROOT
from mutation.mutants import tried
from mutation.score import BOUND, Score

RESULTS = ROOT / "benchmarks" / "results" / "mutation.json"


def main() -> int:
    rooms: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutation"]
    parser = ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"some of {', '.join(rooms)} (all)")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="mutants tried at once")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants tried of each room (all)")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10_000), help="of the sample (any)")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - rooms.keys():
        parser.error(f"no such room: {', '.join(sorted(unknown))}")
    if asked.sample is not None and asked.sample < 1:
        parser.error("a sample has at least one mutant")
    scores = [tried(name, rooms[name], asked.children, asked.sample, asked.seed) for name in asked.rooms or rooms]
    _keep(scores)
    _show(scores)
    return int(any(score.percent < BOUND for score in scores))


def _keep(scores: Sequence[Score]) -> None:
    """Rooms that were not asked for keep what was measured of them before."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept |= {score.room: score.told() for score in scores}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _show(scores: Sequence[Score]) -> None:
    table = Table(title="Mutation score", title_justify="left")
    for head in ("room", "mutants", "detected", "left", "in"):
        table.add_column(head, overflow="fold")
    for score in scores:
        style = "green" if score.percent >= BOUND else "bold red"
        functions = Counter(name.partition("__mutmut_")[0] for name in score.survivors)
        worst = ", ".join(f"{name} {count}" for name, count in functions.most_common(12))
        tried, detected = str(score.tried), f"[{style}]{score.percent:.1f} %[/]"
        if score.sample is not None:
            low, high = score.interval
            tried += f" of {score.sample.of:,}, seed {score.sample.seed}"
            detected += f" ({low:.1f} to {high:.1f})"
        table.add_row(score.room, tried, detected, str(len(score.survivors)), worst)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    sys.exit(main())
