"""So many requests in a while for each client of an organisation: the API key, or else the user.

Counted by each worker for itself, in memory, in fixed windows. What is left is said with every answer, in the words
of draft-ietf-httpapi-ratelimit-headers.
"""

import time
from math import ceil

from fastapi import Request
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from api.http.caller import Caller
from api.http.counters import Counters
from api.http.problems import Problem

OFF = "off"


class RateLimit:
    """`rate` is as in 100000/minute, or off."""

    def __init__(self, rate: str) -> None:
        self._item = None if rate == OFF else parse(rate)
        self._counters = Counters()
        self._windows = FixedWindowRateLimiter(self._counters)
        if self._item is not None:
            window = self._item.get_expiry()
            self._policy = (b"ratelimit-policy", f'"client";q={self._item.amount};w={window}'.encode())

    def count(self, caller: Caller, request: Request) -> None:
        """Count a request, and have its answer say what is left. Raises Problem rate_limited."""
        if self._item is None:
            return
        whose = f"{len(caller.organization_id)} {caller.organization_id} {caller.client or caller.user_id}"
        within = self._windows.hit(self._item, whose)
        count, until = self._counters.window(self._item.key_for(whose))
        remaining, seconds = max(self._item.amount - count, 0), ceil(until - time.time())
        left = (b"ratelimit", f'"client";r={remaining};t={seconds}'.encode())
        request.scope["state"]["headers"] = (self._policy, left)
        if not within:
            raise Problem(
                "rate_limited",
                f"At most {self._item.amount} requests in {self._item.get_expiry()} seconds",
                headers={"Retry-After": str(max(seconds, 1))},
            )
