"""What concerns our service alone, and has no peer to be compared with (but for the stock projection)."""

from benchmarks.plan import Plan
from benchmarks.report.screen import Screen
from benchmarks.results import Results
from benchmarks.scenarios import projector
from benchmarks.scenarios.footprint import memory, starting
from benchmarks.scenarios.history import History
from benchmarks.scenarios.importing import importing
from benchmarks.scenarios.visible import append_to_visible
from benchmarks.scenarios.workers import workers
from benchmarks.targets.service import Service


class Alone:
    def __init__(self, service: Service, plan: Plan, screen: Screen, results: Results) -> None:
        self._service, self._plan, self._screen, self._results = service, plan, screen, results

    def measure(self) -> None:
        """In this order: the start-up comes last, as it ends the target."""
        self._workers()
        self._history()
        self._projector()
        self.footprint()

    def footprint(self) -> None:
        service = self._service
        if self._wants("footprint", f"memory and start-up with {service.main.rows:,} activities"):
            self._results.facts += memory(service)
            self._results.facts += starting(service, self._plan)

    def _workers(self) -> None:
        if self._wants("workers", "a second worker"):
            self._results.figures += workers(self._service, self._plan)

    def _history(self) -> None:
        if self._wants("history", "activities with 1,000 events each"):
            history = History(self._service, self._plan)
            self._results.facts += history.facts()
            self._results.figures += history.figures()

    def _projector(self) -> None:
        if self._wants("projector", "from append to visible", "visible"):
            self._results.facts += append_to_visible(self._service, self._plan)
        if self._wants("projector", "an import", "import"):
            self._results.facts += importing(self._service, self._plan)
        if self._wants("projector", "the projector catches up", "catch-up"):
            self._results.facts += projector.catching_up(self._service, self._plan)
        if self._wants("projector", "rebuilding the read tables", "rebuild"):
            self._results.facts += projector.rebuilding(self._service)

    def _wants(self, part: str, what: str, name: str = "") -> bool:
        wanted = self._plan.wants(part, name)
        if wanted:
            self._screen.doing(what)
        return wanted
