"""Windows in memory, for the library `limits`. Its own storage starts a thread a hundred times a second to tidy up;
this one tidies up as it goes."""

import time

from limits.storage import Storage

MOST = 10_000
_NONE = (0, 0.0)


class Counters(Storage):
    """By key how often, and until when that counts."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[int, float]] = {}
        self._tidy_at = MOST

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def window(self, key: str) -> tuple[int, float]:
        """How often in the window last begun, and when it ends."""
        return self._windows.get(key, _NONE)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        count, until = self.window(key)
        if until <= now:
            count, until = 0, now + expiry
        self._windows[key] = (count + amount, until)
        if len(self._windows) > self._tidy_at:
            self._tidy(now)
        return count + amount

    def get(self, key: str) -> int:
        count, until = self.window(key)
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self.window(key)[1] or time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)

    def _tidy(self, now: float) -> None:
        """Forget what no longer counts; look again when twice as many are there."""
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
        self._tidy_at = max(MOST, 2 * len(self._windows))
