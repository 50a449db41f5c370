"""Keeps a family of child processes alive, and takes it down with it."""

import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from api.serving.lifeline import VARIABLE
from api.serving.stop_signal import StopSignal

GRACE = 8.0
_ROUND = 0.2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_SETTLED = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Child:
    """A process to be kept running. `env` is added to the parent's own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    buried: Callable[[int], None] = lambda pid: None
    """Told the process id of each that died."""


def pause_before_restart(deaths: int) -> float:
    """Seconds, after so many deaths in a row: the first restart is immediate, then ever slower."""
    return 0.0 if deaths <= 1 else min(_FIRST_PAUSE * 2.0 ** (deaths - 2), _LONGEST_PAUSE)


class Supervisor:
    """Starts the children, restarts those that die, and stops them all when it is told to."""

    def __init__(self, children: Sequence[Child], *, grace: float = GRACE) -> None:
        self._lives = [_Life(child) for child in children]
        self._grace = grace

    def run(self, stop: StopSignal, chores: Sequence[Callable[[], None]] = ()) -> int:
        """Stay until the signal is given; 0. Each chore is called at least every 0.2 s.

        Whatever a chore raises ends the family, too, and goes on to the caller.
        """
        lifeline, our_end = os.pipe()
        try:
            while not stop.given:
                for life in self._lives:
                    life.tend(lifeline)
                for chore in chores:
                    chore()
                stop.wait(min([_ROUND, *(life.time_until_due() for life in self._lives)]))
        finally:
            self._stop_all()
            os.close(our_end)
            os.close(lifeline)
        return 0

    def keeps_dying(self, times: int = 3) -> str | None:
        """Says which child died that often in a row, and how, if any did."""
        return next((life.obituary for life in self._lives if life.deaths >= times), None)

    def _stop_all(self) -> None:
        for life in self._lives:
            life.terminate()
        deadline = time.monotonic() + self._grace
        for life in self._lives:
            life.bury(deadline)


class _Life:
    """A child's present process, and how often it has died."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._process: subprocess.Popen[bytes] | None = None
        self._born = self._due = 0.0
        self.deaths = 0
        self.obituary = ""

    def tend(self, lifeline: int) -> None:
        if self._process and (code := self._process.poll()) is not None:
            self._mourn(code)
        if not self._process and time.monotonic() >= self._due:
            self._start(lifeline)

    def time_until_due(self) -> float:
        return max(0.0, self._due - time.monotonic()) if not self._process else _ROUND

    def terminate(self) -> None:
        if self._process:
            self._process.terminate()

    def bury(self, deadline: float) -> None:
        """Wait for the end, and enforce it after the deadline."""
        if not self._process:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
            return
        log.warning("%s did not end in time: killed", self._child.name)
        self._process.kill()
        self._process.wait()

    def _start(self, lifeline: int) -> None:
        self._process = subprocess.Popen(
            self._child.argv,
            env={**os.environ, **self._child.env, VARIABLE: str(lifeline)},
            pass_fds=(*self._child.pass_fds, lifeline),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a terminal's Ctrl-C is for the parent to pass on, once
        )
        self._born = time.monotonic()

    def _mourn(self, code: int) -> None:
        now = time.monotonic()
        self.deaths = 1 if now - self._born >= _SETTLED else self.deaths + 1
        pause = pause_before_restart(self.deaths)
        if self._process:
            self._child.buried(self._process.pid)
        self._process, self._due = None, now + pause
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        self.obituary = f"{self._child.name} died {how}, {self.deaths} times in a row"
        log.warning("%s died %s: starting it again in %.1f s", self._child.name, how, pause)
