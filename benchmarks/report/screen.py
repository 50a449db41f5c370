"""The same tables for a terminal, and a line of progress for each thing that is being measured."""

import sys
import time

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.report.tables import Table, tables
from benchmarks.results import Results

_QUIET = 5
_STYLES = {"met": "[green]met[/]", "NOT MET": "[bold red]not met[/]"}


class Screen:
    def __init__(self) -> None:
        self._out = Console(width=None if sys.stdout.isatty() else 180)
        self._progress = Console(stderr=True)
        self._began = time.monotonic()

    def doing(self, what: str) -> None:
        self._progress.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {what}", highlight=False)

    def show(self, results: Results) -> None:
        for table in tables(results):
            self._out.print(_rich(table))
        if (others := results.about["others_percent"]) > _QUIET:
            self._out.print(f"[bold red]Others used {others} % of the machine meanwhile: these figures are noisy.[/]")


def _rich(table: Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left", title_style="bold")
    for number, name in enumerate(table.head):
        shown.add_column(name, style="dim" if number > 3 else None, overflow="fold")
    for row in table.rows:
        shown.add_row(*(_STYLES.get(cell, cell) for cell in row))
    return shown
