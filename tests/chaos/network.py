"""A network that fails between the service and its database, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from proxy import Proxy

from chaos.arena import Arena
from chaos.faults import Fault


@contextmanager
def proxied(dsn: str) -> Iterator[Proxy]:
    """A proxy before a database; `proxy.dsn` leads through it."""
    made: list[Proxy] = []
    up, loop = threading.Event(), asyncio.new_event_loop()
    done = asyncio.Event()

    async def stand() -> None:
        async with Proxy(dsn) as proxy:
            made.append(proxy)
            up.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(stand()), name="proxy")
    thread.start()
    try:
        assert up.wait(10), "the proxy does not stand"
        yield made[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        loop.close()


def cutting(proxy: Proxy) -> dict[str, Fault]:
    """Faults of this network: the next commit is lost on its way, or its acknowledgement is."""

    def lose_acknowledgement(arena: Arena, chance: Random) -> None:
        proxy.lose_acknowledgement = True

    def lose_commit(arena: Arena, chance: Random) -> None:
        proxy.lose_commit = True

    return {"acknowledgement lost": lose_acknowledgement, "commit lost": lose_commit}
