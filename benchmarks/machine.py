"""Where a run took place."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from application.postgres.embedded.binaries import find_binaries
from benchmarks.load.wrk import find_wrk


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "postgres": _said(str(find_binaries().postgres), "--version").rpartition(" ")[2],
        "python": platform.python_version(),
        "wrk": _said(find_wrk(), "-v").partition(" [")[0].removeprefix("wrk "),
    }


def commit() -> str:
    """The checkout's commit, and whether something in it is not committed."""
    short = _said("git", "rev-parse", "--short", "HEAD")
    return f"{short} with changes" if _said("git", "status", "--porcelain") else short


def _first(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    found = next((line for line in lines if line.startswith(name)), ": unknown")
    return found.partition(":")[2].strip()


def _said(*command: str) -> str:
    here = Path(__file__).parent
    said = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False).stdout.splitlines()
    return said[0] if said else ""
