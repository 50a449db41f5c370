"""Processes of a target: started, watched, and never outliving this one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from api.serving.environment import module_path
from api.serving.lifeline import VARIABLE as LIFELINE
from benchmarks.targets.process import ARGUMENTS

_GRACE = 15.0


class Died(Exception):
    """A process ended by itself; the message holds the last it said."""


class Crew:
    """Each process is `python -m MODULE ARGUMENTS`, on a lifeline that ends it should we be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lifeline, self._our_end = os.pipe()

    def start(self, name: str, *module: str, env: Mapping[str, str], listener: socket.socket | None = None) -> None:
        inherited = (self._lifeline, *([listener.fileno()] if listener else []))
        ours = {ARGUMENTS: json.dumps(module), LIFELINE: str(self._lifeline)}
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.targets.process"],
                env={**os.environ, **module_path(os.environ), **env, **ours},
                pass_fds=inherited,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._processes.items()}

    def check(self) -> None:
        """Raises Died when any of them is there no longer."""
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                said = (self._folder / f"{name}.log").read_text(errors="replace")[-3000:]
                raise Died(f"{name} ended with {code}:\n{said}")

    def stop(self, *names: str) -> None:
        """Stop the named ones, in that order and each to its end; all of them when none is named."""
        for name in names or tuple(self._processes):
            if (process := self._processes.pop(name, None)) is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def close(self) -> None:
        self.stop()
        os.close(self._our_end)
        os.close(self._lifeline)

    def within(self, seconds: float, what: str) -> "Patience":
        return Patience(self, seconds, what)


class Patience:
    """`while patience.left():` until something holds, as long as all processes live."""

    def __init__(self, crew: Crew, seconds: float, what: str) -> None:
        self._crew, self._what = crew, what
        self._deadline = time.monotonic() + seconds

    def left(self, pause: float = 0.02) -> bool:
        self._crew.check()
        if time.monotonic() > self._deadline:
            raise TimeoutError(self._what)
        time.sleep(pause)
        return True
