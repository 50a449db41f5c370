"""Processor time of a target's processes: what an answer costs, which a busy machine hardly changes."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def processor_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Seconds used so far by each named process and its children. Nothing where there is no /proc."""
    if not (_PROC / "self/stat").exists():
        return {}
    used = dict(_each_process())
    return {name: _with_children(pid, used) for name, pid in roots.items()}


def _with_children(root: int, used: Mapping[int, tuple[int, float]]) -> float:
    return sum(seconds for pid, (parent, seconds) in used.items() if root in (pid, parent))


def _each_process() -> Iterable[tuple[int, tuple[int, float]]]:
    """Process id, parent's id, and seconds."""
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            yield int(entry.name), (int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS)
