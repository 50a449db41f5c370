"""A connection on which many questions are under way at once, none waiting for another's answer to be read.

Each question is a few statements that succeed or fail together and harm nobody else's: PostgreSQL's pipeline mode,
with a synchronisation point after each. A cursor would serve one caller at a time and watch the socket anew for
each, which takes longer than most questions do.
"""

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGresult

Parameters = Mapping[str, Any] | Sequence[Any]
Statement = tuple[str, Parameters]
"""SQL and its parameters: named, as in %(name)s, or in order, as in %s."""
Rows = list[tuple[Any, ...]]

MOST_PREPARED = 200
_PARAMETER = re.compile(r"%(?:\((\w+)\))?s")
_WELL = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_Key = tuple[bytes, tuple[int, ...]]
"""A statement with the types of its parameters."""


class _Bound(NamedTuple):
    """A statement with its parameters, each as text or in binary."""

    key: _Key
    values: Sequence[Any]
    formats: Sequence[pq.Format] | None


class Silent(psycopg.OperationalError):
    """The database said nothing for too long."""


@dataclass(slots=True)
class _Asked:
    answer: asyncio.Future[list[Rows]]
    awaited: list[_Key | None] = field(default_factory=list)
    """Of each result to come: the statement it prepares, or None where it is the answer of one."""
    results: list[PGresult] = field(default_factory=list)


class Wire:
    """Ask with `await wire.ask(...)`, end with `close`. Silence for `patience` seconds is taken for its end."""

    def __init__(self, connection: AsyncConnection[Any], patience: float) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._under_way: deque[_Asked] = deque()
        self._prepared: OrderedDict[_Key, bytes] = OrderedDict()
        self._named = 0
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._writing = self._ended = False
        self._socket = self._pgconn.socket
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def connected(cls, conninfo: str, patience: float) -> "Wire":
        """Raises psycopg.OperationalError."""
        return cls(await AsyncConnection.connect(conninfo, autocommit=True), patience)

    @property
    def closed(self) -> bool:
        return self._ended or self._connection.closed

    @property
    def fileno(self) -> int:
        """The socket it listens to."""
        return self._socket

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def ask(self, *statements: Statement) -> asyncio.Future[list[Rows]]:
        """The rows of each statement, all of one transaction. Raises psycopg.Error, at once or when awaited."""
        dumped = [self._dumped(*statement) for statement in statements]
        asked = _Asked(self._loop.create_future())
        if not self._under_way:
            self._heard_at = self._loop.time()
        self._under_way.append(asked)
        try:
            for bound in dumped:
                self._send(asked, bound)
            self._pgconn.pipeline_sync()
            self._write()
        except psycopg.OperationalError as error:
            self._end(error)
        if self._watch is None and self._under_way:
            self._watch = self._loop.call_later(self._patience, self._listen)
        return asked.answer

    def close(self) -> None:
        """Whoever still waits is told so."""
        self._end(psycopg.OperationalError("the connection was closed"))

    def _dumped(self, sql: str, parameters: Parameters) -> _Bound:
        text, names = numbered(sql)
        values = [parameters[name] for name in names] if isinstance(parameters, Mapping) else parameters
        sent = self._transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        return _Bound((text, self._transformer.types or ()), sent, self._transformer.formats)

    def _send(self, asked: _Asked, bound: _Bound) -> None:
        """What takes no parameters is not worth preparing."""
        key, values, formats = bound
        if not values:
            self._pgconn.send_query_params(key[0], None)
            asked.awaited.append(None)
            return
        name = self._prepared.get(key)
        if name is None:
            name = self._prepare(asked, key)
        else:
            self._prepared.move_to_end(key)
        self._pgconn.send_query_prepared(name, values, formats)
        asked.awaited.append(None)

    def _prepare(self, asked: _Asked, key: _Key) -> bytes:
        """Planning takes longer than running: each statement is planned once, the most used ones are kept."""
        self._named += 1
        name = self._prepared[key] = b"wire_%d" % self._named
        self._pgconn.send_prepare(name, *key)
        asked.awaited.append(key)
        if len(self._prepared) > MOST_PREPARED:
            forgotten, old = self._prepared.popitem(last=False)
            self._pgconn.send_close_prepared(old)
            asked.awaited.append(forgotten)
        return name

    def _write(self) -> None:
        """What the socket does not take at once goes when it is ready for it."""
        waiting = self._pgconn.flush() != 0
        if waiting and not self._writing:
            self._loop.add_writer(self._socket, self._write)
        elif self._writing and not waiting:
            self._loop.remove_writer(self._socket)
        self._writing = waiting

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            self._heard_at = self._loop.time()
            while self._under_way and not self._pgconn.is_busy():
                self._take(self._pgconn.get_result())
                if self._pgconn.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection was lost")
            if self._writing:
                self._write()
        except psycopg.OperationalError as error:
            self._end(error)

    def _take(self, result: PGresult | None) -> None:
        """None follows each result, a synchronisation point all those of a question."""
        if result is None:
            return
        if result.status != pq.ExecStatus.PIPELINE_SYNC:
            self._under_way[0].results.append(result)
            return
        asked = self._under_way.popleft()
        failed = next((r for r in asked.results if r.status not in _WELL), None)
        if failed is not None:
            self._forget(asked)
        if asked.answer.done():  # the caller may have gone away
            return
        if failed is not None:
            asked.answer.set_exception(error_from_result(failed))
        else:
            shown = zip(asked.awaited, asked.results, strict=True)
            asked.answer.set_result([self._rows(result) for key, result in shown if key is None])

    def _rows(self, result: PGresult) -> Rows:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)

    def _forget(self, asked: _Asked) -> None:
        """What a failed question was to prepare may not be; preparing it again, by another name, does no harm."""
        for key in asked.awaited:
            if key is not None:
                self._prepared.pop(key, None)

    def _listen(self) -> None:
        self._watch = None
        if not self._under_way:
            return
        quiet = self._loop.time() - self._heard_at
        if quiet >= self._patience:
            self._end(Silent("the database does not answer"))
        else:
            self._watch = self._loop.call_later(self._patience - quiet, self._listen)

    def _end(self, error: psycopg.OperationalError) -> None:
        if not self._ended:  # PostgreSQL may have ended the connection already, but not our listening to it
            self._ended = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._pgconn.finish()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._under_way:
            answer = self._under_way.popleft().answer
            if not answer.done():
                answer.set_exception(error)


@lru_cache(maxsize=1024)
def numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement as the protocol wants it, and its parameters' names, those of $1, $2 and so on."""
    found = _PARAMETER.findall(sql)
    if not any(found):
        places = count(1)
        return _PARAMETER.sub(lambda _: f"${next(places)}", sql).encode(), ()
    names = tuple(dict.fromkeys(found))
    return _PARAMETER.sub(lambda one: f"${names.index(one[1]) + 1}", sql).encode(), names
