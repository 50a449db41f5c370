"""A transaction over a wire: statements gather until somebody needs an answer, and go together.

So what begins a transaction, and what it first asks, cost one round trip; what it writes, and the commit, another.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import psycopg

from application.postgres.wire import Rows, Statement, Wire


class Asked:
    """A statement that was asked, or will be with the others once its rows are fetched."""

    def __init__(self, transaction: "Transaction") -> None:
        self._transaction = transaction
        self.rows: Rows | None = None

    async def fetchall(self) -> Rows:
        """Raises psycopg.Error, as may every other fetch of the transaction."""
        if self.rows is None:
            await self._transaction.flush()
        assert self.rows is not None  # flushing answers every statement
        return self.rows

    async def fetchone(self) -> tuple[Any, ...] | None:
        rows = await self.fetchall()
        return rows[0] if rows else None


class Transaction:
    """Use as a context: committed at its end, rolled back by an exception."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._gathered: list[tuple[Statement, Asked]] = []
        self._begun = self._failed = False

    async def __aenter__(self) -> Self:
        await self.execute("begin")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self._commit()
        elif issubclass(kind, Exception):
            await self._roll_back()

    async def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Asked:
        """Ask something, in its turn. Nothing is sent yet."""
        asked = Asked(self)
        self._gathered.append(((sql, parameters), asked))
        return asked

    async def flush(self) -> None:
        """Send what has gathered and wait for all its answers. Raises psycopg.Error."""
        gathered, self._gathered = self._gathered, []
        self._begun = True
        try:
            answers = await self._wire.ask(*(one for one, _ in gathered))
        except psycopg.Error:
            self._failed = True
            raise
        for (_, asked), rows in zip(gathered, answers, strict=True):
            asked.rows = rows

    async def _commit(self) -> None:
        """PostgreSQL answers the commit of a failed transaction without a complaint, by rolling it back."""
        await self.execute("commit")
        try:
            if self._failed:
                raise psycopg.errors.InFailedSqlTransaction("the transaction has failed")
            await self.flush()
        except Exception:
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        """A wire on which even this fails is of no more use."""
        if self._wire.closed or not self._begun:
            return
        try:
            await self._wire.ask(("rollback", ()))
        except psycopg.Error:
            self._wire.close()
