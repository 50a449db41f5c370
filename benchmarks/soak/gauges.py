"""What is read off while the load goes on: memory of every process, and how far the read tables are behind."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg

from projections.read_models import READ_MODELS

_MEMORY_EVERY, _LAG_EVERY = 1.0, 0.05
_LAG = """
select coalesce(max(extract(epoch from clock_timestamp() - e.recorded_at)), 0)
  from activities.cursors c
  join activities.events e on e.organization_id = c.organization_id and e.position = c.position + 1
 where c.read_model = any(%s)
"""
"""Age of the oldest event that some read model has yet to see. The audit tree is none: it grows behind them."""

_NAMES = {
    "api.worker": "worker",
    "projections.signing": "signer",
    "projections": "projector",
    "embedded.warden": "warden",
}


@dataclass
class Gauges:
    """`memory`: for each process (seconds since the start, MB); `lags`: seconds, twenty times a second.

    Memory is the resident set; of PostgreSQL, whose processes share one cache, what each has for itself, summed.
    """

    root: int
    dsn: str
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._began, self._stop = time.monotonic(), threading.Event()
        self._threads = [threading.Thread(target=read, name=read.__name__) for read in (self._weigh, self._see_lag)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _weigh(self) -> None:
        while not self._stop.wait(_MEMORY_EVERY):
            at = time.monotonic() - self._began
            for name, megabytes in memory_of(self.root).items():
                self.memory.setdefault(name, []).append((at, megabytes))

    def _see_lag(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            while not self._stop.wait(_LAG_EVERY):
                row = connection.execute(_LAG, (list(READ_MODELS),)).fetchone()
                assert row is not None  # an aggregate is one row always
                self.lags.append(float(row[0]))


def memory_of(root: int) -> Mapping[str, float]:
    """MB of each process below `root`, by name; those of a name together."""
    sizes: dict[str, float] = {}
    for pid, name in _family(root):
        field_name = "RssAnon" if name == "PostgreSQL" else "VmRSS"
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:  # it ended meanwhile
            continue
        kilobytes = next((int(x.split()[1]) for x in status.splitlines() if x.startswith(f"{field_name}:")), 0)
        sizes[name] = sizes.get(name, 0.0) + kilobytes / 1024
    return sizes


def _family(root: int) -> Iterator[tuple[int, str]]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for pid in parents:
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root:
            yield pid, _name(pid, root)


def _name(pid: int, root: int) -> str:
    if pid == root:
        return "supervisor"
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "gone"
    return next((name for sign, name in _NAMES.items() if sign in line), "PostgreSQL")
