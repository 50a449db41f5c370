"""Where a run took place."""

import os
import platform
import resource
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from application.postgres.embedded.binaries import find_binaries


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "postgres": _said(str(find_binaries().postgres), "--version").rpartition(" ")[2],
        "python": platform.python_version(),
        "wrk": _said(wrk, "-v").partition(" [")[0].removeprefix("wrk ") if (wrk := shutil.which("wrk")) else None,
    }


class Others:
    """How much of the machine others used since this was made, as a share of all its processors; what makes noise.

    To be asked once our processes have ended: only then is it known how much of it was ours.
    """

    def __init__(self) -> None:
        self._began, self._busy, self._ours = time.monotonic(), _busy_seconds(), _our_seconds()

    def share(self) -> float:
        possible = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        others = (_busy_seconds() - self._busy) - (_our_seconds() - self._ours)
        return max(0.0, others / possible)


def _busy_seconds() -> float:
    """Of all processors together; 0 where there is no /proc."""
    if not Path("/proc/stat").exists():
        return 0.0
    user, nice, system, _, _, hard, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


def _our_seconds() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
