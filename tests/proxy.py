"""Between a client and PostgreSQL: it cuts connections where it is told to."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Proxy:
    """Stands between a desk and PostgreSQL, and cuts the connection where it is told to."""

    def __init__(self, dsn: str) -> None:
        self._target = conninfo_to_dict(dsn)
        self._folder = tempfile.TemporaryDirectory(prefix="activities-proxy-")
        self._server: asyncio.Server | None = None
        self.lose_commit = False
        self.lose_acknowledgement = False
        self.away = False
        self.cuts = 0
        self.turned_away = asyncio.Event()
        self.dsn = make_conninfo(dsn, host=self._folder.name, port=5432)

    async def __aenter__(self) -> "Proxy":
        path = Path(self._folder.name) / ".s.PGSQL.5432"
        self._server = await asyncio.start_unix_server(self._serve, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._folder.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.away:
            self.turned_away.set()
            writer.close()
            return
        host, port = str(self._target["host"]), self._target.get("port", "5432")
        if host.startswith("/"):
            up_reader, up_writer = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            up_reader, up_writer = await asyncio.open_connection(host, int(str(port)))
        both = [
            asyncio.create_task(self._pass_on(reader, up_writer, self._cut_question)),
            asyncio.create_task(self._pass_on(up_reader, writer, self._cut_answer)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for one in (writer, up_writer):
            one.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: Callable[[bytes], bool]
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if cut(data):
                    self.cuts += 1
                    return
                writer.write(data)
                await writer.drain()

    def _cut_question(self, data: bytes) -> bool:
        if self.lose_commit and b"commit" in data.lower():
            self.lose_commit = False
            return True
        return False

    def _cut_answer(self, data: bytes) -> bool:
        if self.lose_acknowledgement and b"COMMIT\x00" in data:
            self.lose_acknowledgement = False
            return True
        return False
