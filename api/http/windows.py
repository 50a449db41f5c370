"""How often in a while: fixed windows, counted in memory, tidied up as they go."""

import time

MOST = 10_000


class Windows:
    """Windows of so many `seconds`, one for each key."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._windows: dict[str, tuple[int, float]] = {}
        self._tidy_at = MOST

    def __len__(self) -> int:
        return len(self._windows)

    def count(self, key: str) -> tuple[int, float]:
        """Count once more: how often now, and when the window ends."""
        now = time.time()
        count, until = self._windows.get(key, (0, 0.0))
        if until <= now:
            count, until = 0, now + self._seconds
        self._windows[key] = counted = (count + 1, until)
        if len(self._windows) > self._tidy_at:
            self._tidy(now)
        return counted

    def _tidy(self, now: float) -> None:
        """Forget what no longer counts; look again when twice as many are there."""
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
        self._tidy_at = max(MOST, 2 * len(self._windows))
