"""SIGTERM and SIGINT as a question to be asked, and a wait that any signal ends early."""

import os
import select
import signal
from types import FrameType
from typing import Self

_STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Between enter and exit the two signals no longer end this process. For the main thread."""

    def __init__(self) -> None:
        self.given = False

    def __enter__(self) -> Self:
        self._bell, write_end = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(write_end, False)
        self._write_end = write_end
        self._wakeup_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        # A child's end rings, too; without a handler of ours Python would not hear of it.
        self._before = {number: signal.signal(number, self._heard) for number in (*_STOPPING, signal.SIGCHLD)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._bell)
        os.close(self._write_end)

    def wait(self, seconds: float) -> None:
        """Sleep, until any of the signals arrives."""
        if select.select([self._bell], [], [], seconds)[0]:
            os.read(self._bell, 4096)

    def _heard(self, number: int, _: FrameType | None) -> None:
        self.given = self.given or number in _STOPPING
