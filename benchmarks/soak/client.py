"""HTTP from one asyncio loop, cheap enough to share two cores with what it loads."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import cast

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 10.0
_LONGEST_IDLE = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """Status 0: none, and why not is the body."""

    status: int
    body: bytes


class _Connection(asyncio.Protocol):
    """One kept-alive connection: a request at a time, its answer told by its Content-Length."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[Reply] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._used_at = time.monotonic()
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= whole:
            self._resolve(Reply(int(self._received[9:12]), bytes(self._received[end + 4 : whole])))
            del self._received[:whole]

    def connection_lost(self, error: Exception | None) -> None:
        self._resolve(Reply(0, f"the connection was lost: {error!r}".encode()))

    async def ask(self, request: bytes) -> Reply:
        self._used_at = time.monotonic()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def usable(self) -> bool:
        """Not closed, nor idle for so long that it might be just now."""
        return not self._transport.is_closing() and time.monotonic() - self._used_at < _LONGEST_IDLE

    def close(self) -> None:
        self._transport.close()

    def _resolve(self, reply: Reply) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)


class Client:
    """As many connections as are needed at once; each is used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []

    async def ask(self, request: bytes) -> Reply:
        """The answer to a request that is sent once; never raises for what the network does."""
        try:
            async with asyncio.timeout(_PATIENCE):
                connection = await self._connection()
                reply = await connection.ask(request)
        except (OSError, TimeoutError) as error:
            return Reply(0, repr(error).encode())
        if connection.usable():
            self._idle.append(connection)
        return reply

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> _Connection:
        while self._idle:
            if (connection := self._idle.pop()).usable():
                return connection
            connection.close()
        made = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", self._port)
        return made[1]
