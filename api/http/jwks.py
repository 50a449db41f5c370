"""The public keys an identity provider lists, fetched in time and kept for when it does not answer.

A list older than `refresh` seconds is fetched anew beside the requests that still go by it. A key id it does not have
fetches it at once, but only once in that time: strangers cannot make this service call its provider at will.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from api.http.jwk import ALGORITHMS, ListedKey, listed_keys
from api.http.tokens import Key
from application.refusals import Unavailable

log = logging.getLogger(__name__)

FETCH_SECONDS = 3.0
MOST_BYTES = 256 * 1024
RETRY_SECONDS = 5.0
_PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity"}
STALE_FACTOR = 12
"""A provider that is away is believed for so many refreshes: an hour by default. Then nobody gets in."""


class Jwks:
    """Keys of a list at a URL. Use within `opened`."""

    def __init__(self, url: str, *, refresh: float = 300) -> None:
        self._url = url
        self._refresh = refresh
        self._http = httpx.AsyncClient(timeout=FETCH_SECONDS, headers=_PLAIN)
        self._keys: tuple[ListedKey, ...] = ()
        self._fetched_at = float("-inf")
        self._retry_at = self._look_again_at = 0.0
        self._fetching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Jwks"]:
        async with self._http:
            yield self
            if self._fetching is not None:
                self._fetching.cancel()
                await asyncio.gather(self._fetching, return_exceptions=True)

    async def key_for(self, algorithm: str, key_id: str | None) -> Key | None:
        if algorithm not in ALGORITHMS:
            return None
        await self._have_keys()
        if not self._knows(key_id) and self._may_look_again():
            await asyncio.shield(self._fetch())
        return self._found(algorithm, key_id)

    async def _have_keys(self) -> None:
        """Raises Unavailable where there are none to go by."""
        age = time.monotonic() - self._fetched_at
        if age >= self._refresh and time.monotonic() >= self._retry_at:
            fetching = self._fetch()
            if age >= STALE_FACTOR * self._refresh:
                await asyncio.shield(fetching)
        if time.monotonic() - self._fetched_at >= STALE_FACTOR * self._refresh:
            raise Unavailable("The identity provider's keys cannot be had")

    def _knows(self, key_id: str | None) -> bool:
        return key_id is None or any(key.id == key_id for key in self._keys)

    def _may_look_again(self) -> bool:
        """With a look that is under way everybody may go along."""
        now = time.monotonic()
        if self._fetching is not None and not self._fetching.done():
            return True
        if now < self._look_again_at:
            return False
        self._look_again_at = now + self._refresh
        return True

    def _found(self, algorithm: str, key_id: str | None) -> Key | None:
        """Without a name, the key must be the only one that can be meant."""
        fit = [k for k in self._keys if algorithm in k.algorithms and key_id in (None, k.id)]
        if not fit or (key_id is None and len(fit) > 1):
            return None
        age = time.monotonic() - self._fetched_at
        return Key(fit[0].material, time.time() + self._refresh - age)

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch_now(), name="jwks")
        return self._fetching

    async def _fetch_now(self) -> None:
        """A list that cannot be had, or is none, changes nothing."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = listed_keys(await self._listed())
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            self._retry_at = time.monotonic() + min(RETRY_SECONDS, self._refresh)
            log.warning("the identity provider's keys cannot be fetched: %s", type(error).__name__)
            return
        self._keys, self._fetched_at = keys, time.monotonic()

    async def _listed(self) -> bytes:
        async with self._http.stream("GET", self._url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(answer.status_code)
            body = b""
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MOST_BYTES:
                    raise ValueError(len(body))
            return body
