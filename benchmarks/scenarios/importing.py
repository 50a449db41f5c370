"""How fast activities are brought in from a file, by the command anybody would use, while the projector follows."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.results import Fact
from benchmarks.targets.service import Service


def importing(service: Service, plan: Plan) -> list[Fact]:
    """Lines a second, from the start of the command to its end. A line refused is a failure."""
    service.rest()
    file = _written(service, plan.backlog)
    command = [sys.executable, "-m", "api.cli", "import", str(file), "--organization", service.main.organization]
    began = time.perf_counter()
    subprocess.run(command, env={**os.environ, **service.environment}, check=True, stdout=subprocess.DEVNULL)
    rate = plan.backlog / (time.perf_counter() - began)
    service.settle()
    return [Fact("import", "service", service.main.rows, rate, "lines/s", f"{plan.backlog} lines of NDJSON")]


def _written(service: Service, lines: int) -> Path:
    sample, file = service.main, service.folder / "import.ndjson"
    with file.open("w", encoding="utf-8") as out:
        for number in range(lines):
            said = sample.said(number, sample.now + timedelta(minutes=1440 + number))
            out.write(json.dumps(said | {"external_id": f"{time.time_ns()}-{number}"}) + "\n")
    return file
