"""The audit feed as server-sent events: each entry with its position as id, from any position on, as it is recorded.

A stream ends when its credentials do, when the worker stops, or when its reader no longer reads. Whoever comes back
with the last id (`Last-Event-ID`) goes on where it ended: nothing is lost and nothing comes twice.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import anyio
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from api.http.caller import Caller
from api.http.identity import permitted, recognised
from api.http.problems import Problem
from api.http.reading import Asking
from application.history.feed import Entry, Stretch
from application.history.news import News
from application.refusals import Unavailable

POLL = 1.0
RETRY_MS = 2000
_GRACE = 3.0
_UNREAD = 30.0
"""Seconds after which a reader that takes nothing any more is let go."""
_DATABASE_AWAY = 30.0


class OpenStreams:
    """How many streams each caller holds open on this worker."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[tuple[str, str]] = Counter()

    def take(self, caller: Caller) -> Callable[[], None]:
        """What gives the place back. Raises Problem rate_limited where the caller has all it may have."""
        whose = (caller.organization_id, caller.client or caller.user_id)
        if self._open[whose] >= self._most:
            raise Problem("rate_limited", f"At most {self._most} open streams", headers={"Retry-After": "10"})
        self._open[whose] += 1

        def give_back() -> None:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]

        return give_back


class FeedStream(EventSourceResponse):
    """`read` reads a stretch after a position, `told` puts an entry into JSON."""

    def __init__(
        self,
        ask: Asking,
        request: Request,
        after: int,
        *,
        read: Callable[[Asking, int], Awaitable[Stretch]],
        told: Callable[[Entry], bytes],
    ) -> None:
        state = request.app.state
        self._ask, self._request, self._after = ask, request, after
        self._read, self._told = read, told
        self._news: News = state.news
        self._stopping = anyio.Event()
        self._give_back = state.open_streams.take(ask.caller)
        super().__init__(
            self._messages(),
            ping=state.settings.feed_heartbeat,
            ping_message_factory=lambda: ServerSentEvent(comment="still here"),
            send_timeout=_UNREAD,
            shutdown_event=self._stopping,
            shutdown_grace_period=_GRACE,
            sep="\n",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._news.followed():
                await super().__call__(scope, receive, send)
        finally:
            self._give_back()

    async def _messages(self) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(comment="the audit feed", retry=RETRY_MS)
        answered = time.monotonic()
        while not self._stopping.is_set():
            more = self._news.next(self._ask.organization_id)
            try:
                if not await self._still_welcome():
                    yield ServerSentEvent(event="end", data='{"reason":"credentials"}')
                    return
                stretch = await self._read(self._ask, self._after)
                answered = time.monotonic()
            except Unavailable:
                if time.monotonic() - answered > _DATABASE_AWAY:
                    return
                await asyncio.sleep(POLL)
                continue
            for entry in stretch.entries:
                yield ServerSentEvent(data=self._told(entry).decode(), id=str(entry.position))
                self._after = entry.position
            if not stretch.entries:
                with suppress(TimeoutError):
                    await asyncio.wait_for(more.wait(), POLL)

    async def _still_welcome(self) -> bool:
        """Whether the credentials the stream was opened with are good now: they expire, and keys are revoked."""
        try:
            permitted(await recognised(self._request), "audit:read")
        except Problem:
            return False
        return True
