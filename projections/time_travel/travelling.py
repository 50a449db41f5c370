"""Questions about the past: each in a thread of its own, so that nobody else waits while streams are folded."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg

from application.refusals import Unavailable
from projections.paging import Listing, Page, page_of
from projections.reading import Found
from projections.time_travel.session import Asked, Rows, Session

MOST_AT_ONCE = 2
MOST_WAITING = 16
IDLE = 60.0
"""Seconds after which nobody's next page is waited for any more, and what was folded is given up."""


class TimeTravel:
    """At most two questions at a time on one worker; the others wait, and beyond sixteen are told to come again."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="time-travel")
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._busy: set[Session] = set()
        self._waiting = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["TimeTravel"]:
        try:
            yield self
        finally:
            for session in list(self._busy):
                session.stop()
            await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
            for session in self._idle:
                session.close()

    async def page(self, asked: Asked) -> Page:
        """Raises Unavailable, Invalid, and psycopg.DataError for a cursor that was tampered with."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many questions about the past are waiting")
        asked = replace(asked, listing=_of_then(asked))
        self._waiting += 1
        try:
            rows = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, asked)
        finally:
            self._waiting -= 1
            asyncio.get_running_loop().call_later(IDLE + 1, self._tidy)
        return page_of(asked.listing, asked.place, Found(rows))

    def _ask(self, asked: Asked) -> Rows:
        """Reading twice does no harm: a session that was broken is replaced once."""
        try:
            return self._attempt(asked)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if isinstance(error, psycopg.errors.QueryCanceled):
                raise Unavailable("The database is too slow to answer now") from error
        try:
            return self._attempt(asked)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable("The database cannot be reached") from error

    def _attempt(self, asked: Asked) -> Rows:
        session = self._taken(asked) or Session.opened(self._dsn)
        self._busy.add(session)
        try:
            rows = session.ask(asked)
        except BaseException:
            session.close()
            raise
        finally:
            self._busy.discard(session)
        with self._lock:
            self._idle.append(session)
        return rows

    def _taken(self, asked: Asked) -> Session | None:
        """The session that was last asked about this organisation, else any."""
        with self._lock:
            if not self._idle:
                return None
            mine = [s for s in self._idle if s.held is not None and s.held.organization_id == asked.organization_id]
            session = max(mine or self._idle, key=lambda session: session.used_at)
            self._idle.remove(session)
            return session

    def _tidy(self) -> None:
        with self._lock:
            old = [session for session in self._idle if time.monotonic() - session.used_at > IDLE]
            self._idle = [session for session in self._idle if session not in old]
        for session in old:
            session.close()


def _of_then(asked: Asked) -> Listing:
    """The listing with its total counted, and with cursors that are of this moment only."""
    total = asked.listing.total if asked.terms else None
    identity = {**asked.listing.identity, "as_of": repr(asked.when)}
    return replace(asked.listing, first="", total=total, identity=identity)
