"""RESULTS.md, filled from the results of a run."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.report.tables import Table, tables
from benchmarks.results import Results

_INTRODUCTION = """# Results

Written by `python -m benchmarks --write-results`; what is compared and what each figure means is in README.md.
Ratios compare answers a second, medians over the rounds of one run. "x CRUD 5.00" reads: five times the CRUD peer.
"""


def write_page(path: Path, runs: Iterable[Results]) -> None:
    path.write_text("\n".join([_INTRODUCTION, *(_section(run) for run in runs)]), encoding="utf-8")


def _section(results: Results) -> str:
    about = results.about
    machine = about["machine"]
    lines = [
        f"## {about['title']}, {about['finished_at']}",
        "",
        f"{machine['cpus']} CPUs ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}; "
        f"PostgreSQL {machine['postgres']}, Python {machine['python']}, wrk {machine['wrk']}; "
        f"commit {about['commit']}; {about['rounds']} rounds of {about['seconds']} s; took {about['minutes']} minutes; "
        f"meanwhile others used {about.get('others_percent', '(not noted)')} % of the machine's processors.",
        "",
    ]
    return "\n".join([*lines, *(_table(table) for table in tables(results))])


def _table(table: Table) -> str:
    rows = [table.head, ("---",) * len(table.head), *table.rows]
    return "\n".join([f"### {table.title}", "", *(f"| {' | '.join(row)} |" for row in rows), ""])
