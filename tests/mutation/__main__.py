"""`python -m tests.mutation [ROOM ...]`: mutate a room of the house and see how many mutants its tests kill.

Rooms, what is mutated and which tests must notice are in pyproject.toml, `[tool.mutation.ROOM]`. Each room is worked on
in a copy of the checkout, by mutmut (`pip install -e '.[dev,mutation]'`). A table and benchmarks/results/mutation.json;
exit code 1 where a room has less than the bound.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import migrate

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "mutation.json"
BOUND = 85.0
STOREYS = ("domain", "application", "projections", "api")
_RESULT = re.compile(r"^\s*(\S+?)__mutmut_\d+: (.+)$", re.MULTILINE)
_DETECTED = ("killed", "timeout", "segfault")


@dataclass(frozen=True, slots=True)
class Score:
    """Mutants of a room by what became of them."""

    room: str
    fates: Mapping[str, int]
    survivors: Mapping[str, int]

    @property
    def of(self) -> int:
        return sum(self.fates.values())

    @property
    def percent(self) -> float:
        return 100 * sum(self.fates.get(fate, 0) for fate in _DETECTED) / max(self.of, 1)


def main() -> int:
    rooms: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutation"]
    parser = ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"some of {', '.join(rooms)} (all)")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="mutants tried at once")
    asked = parser.parse_args()
    if unknown := set(asked.rooms) - rooms.keys():
        parser.error(f"no such room: {', '.join(sorted(unknown))}")
    scores = [score for name in asked.rooms or rooms for score in [_score(name, rooms[name], asked.children)]]
    _keep(scores)
    _show(scores)
    return int(any(score.percent < BOUND for score in scores))


def _score(name: str, room: Mapping[str, Any], children: int) -> Score:
    with tempfile.TemporaryDirectory(prefix="activities-mutation-") as folder, _database() as env:
        copy = Path(folder)
        copy.chmod(0o755)
        _copy(copy, room)
        mutmut = Path(sys.executable).with_name("mutmut")
        subprocess.run([mutmut, "run", "--max-children", str(children)], cwd=copy, env=env, check=False)
        said = subprocess.run([mutmut, "results", "--all", "true"], cwd=copy, env=env, capture_output=True, text=True)
    found = _RESULT.findall(said.stdout)
    if not found:
        raise SystemExit(f"mutmut found nothing to mutate in {name}: {said.stdout[-2000:]} {said.stderr[-2000:]}")
    fates = Counter(fate for _, fate in found)
    survivors = Counter(function for function, fate in found if fate not in _DETECTED)
    return Score(name, dict(fates), dict(survivors.most_common()))


def _copy(copy: Path, room: Mapping[str, Any]) -> None:
    """The checkout's files, with mutmut told of this room alone."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *STOREYS, "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    settings = {
        "source_paths": list(STOREYS),
        "only_mutate": room["mutate"],
        "pytest_add_cli_args_test_selection": room["tests"],
        "timeout_constant": 10.0,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    pytest = '[tool.pytest.ini_options]\naddopts = "-q -p no:xdist -p no:cacheprovider"\ntimeout = 120\n'
    (copy / "pyproject.toml").write_text(f"{pytest}\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """The server and the template all those test runs share: starting one for each mutant would take all night."""
    run = f"mutation{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"activities-tests-{run}"  # where tests/conftest.py looks for it
    with EmbeddedPostgres(
        folder, settings={"full_page_writes": "off", "max_connections": "300"}, fsync=False
    ) as server:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute("create database template")
        migrate(server.dsn("template"))
        yield {**os.environ, "PYTEST_XDIST_TESTRUNUID": run, "ACTIVITIES_TESTS_IN_PROCESS": "1"}


def _keep(scores: list[Score]) -> None:
    """Rooms that were not asked for keep what was measured of them before."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for score in scores:
        fates = dict(sorted(score.fates.items()))
        kept[score.room] = {"percent": round(score.percent, 1), "mutants": score.of, **fates}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _show(scores: list[Score]) -> None:
    table = Table(title="Mutation score", title_justify="left")
    for head in ("room", "mutants", "detected", "left", "in"):
        table.add_column(head, overflow="fold")
    for score in scores:
        style = "green" if score.percent >= BOUND else "bold red"
        worst = ", ".join(f"{name} {count}" for name, count in list(score.survivors.items())[:12])
        left = sum(score.survivors.values())
        table.add_row(score.room, str(score.of), f"[{style}]{score.percent:.1f} %[/]", str(left), worst)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    sys.exit(main())
