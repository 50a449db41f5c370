"""What it needs: the memory of its processes after all that load, and the time to be ready with all that data."""

import time
from pathlib import Path
from statistics import median

from benchmarks.plan import Plan
from benchmarks.results import Fact
from benchmarks.targets.service import Service

_PATIENCE = 60.0


def memory(service: Service) -> list[Fact]:
    rows = service.main.rows
    return [
        Fact(f"memory of the {name}", "service", rows, rss, "MB", f"proportional share {pss:.0f} MB")
        for name in ("worker", "projector")
        for rss, pss in [_memory_of(service.crew.pids()[name])]
    ]


def _memory_of(pid: int) -> tuple[float, float]:
    """Resident and proportional set size in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith(" kB")}
    return sizes["Rss"], sizes["Pss"]


def starting(service: Service, plan: Plan) -> list[Fact]:
    """From `activities serve` to its `ready`, database and all. The target itself is stopped for good."""
    service.crew.stop()
    service.server.stop()
    took = median(_start(service) for _ in range(plan.rounds))
    return [Fact("start-up", "service", service.main.rows, took, "s", "activities serve, until ready")]


def _start(service: Service) -> float:
    said = service.folder / "serve.log"
    said.unlink(missing_ok=True)
    began = time.perf_counter()
    service.crew.start("serve", "api.cli", "serve", "--data-dir", str(service.folder), "--port", "0", env={})
    patience = service.crew.within(_PATIENCE, "activities serve is not ready")
    while "ready at" not in said.read_text() and patience.left(0.005):
        pass
    took = time.perf_counter() - began
    service.crew.stop("serve")
    return took
