"""So many requests in a while for each client of an organisation: the API key, or else the user.

Counted by each worker for itself, in memory, in fixed windows. What is left is said with every answer, in the words
of draft-ietf-httpapi-ratelimit-headers.
"""

import time
from math import ceil

from fastapi import Request
from limits import parse

from api.http.caller import Caller
from api.http.problems import Problem
from api.http.windows import Windows

OFF = "off"


class RateLimit:
    """`rate` is as in 100000/minute, or off."""

    def __init__(self, rate: str) -> None:
        self._windows: Windows | None = None
        if rate != OFF:
            limit = parse(rate)
            self._most, self._seconds = limit.amount, limit.get_expiry()
            self._windows = Windows(self._seconds)
            self._policy = (b"ratelimit-policy", f'"client";q={self._most};w={self._seconds}'.encode())

    def count(self, caller: Caller, request: Request) -> None:
        """Count a request, and have its answer say what is left. Raises Problem rate_limited."""
        if self._windows is None:
            return
        whose = f"{len(caller.organization_id)} {caller.organization_id} {caller.client or caller.user_id}"
        count, until = self._windows.count(whose)
        remaining, seconds = max(self._most - count, 0), ceil(until - time.time())
        left = (b"ratelimit", f'"client";r={remaining};t={seconds}'.encode())
        request.scope["state"]["headers"] = (self._policy, left)
        if count > self._most:
            raise Problem(
                "rate_limited",
                f"At most {self._most} requests in {self._seconds} seconds",
                headers={"Retry-After": str(max(seconds, 1))},
            )
