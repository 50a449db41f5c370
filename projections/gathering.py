"""Questions that wait together are answered by one statement: those for single rows, and those that are the same.

While one statement is under way the next questions gather, so the busier the service, the less a question costs.
Nobody is answered by a statement that was under way before they asked: what they may know of, it may not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from projections.paging import Listing, Page, Place, page_of, question
from projections.reading import Found, Question, Reader

MOST_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class PointQuestion:
    """SQL for the rows whose key is one of %(keys)s, the key in the first column; other parameters: organization_id."""

    read_models: Sequence[str]
    sql: str


Waiting = list[tuple[Any, asyncio.Future[Any]]]
"""What each asker asks for, and where the answer goes."""
Serve = Callable[[list[Any]], Awaitable[list[Any]]]
"""Answers several who ask together, each for something."""


class Gatherer:
    """Gathers the questions of one worker."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: dict[Hashable, Waiting] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def row(self, organization_id: str, asked: PointQuestion, key: UUID) -> Found:
        """The rows of one key, as fresh as those of any other question."""

        async def serve(keys: list[UUID]) -> list[Found]:
            parameters = {"organization_id": organization_id, "keys": list(set(keys))}
            found = await self._reader.ask(organization_id, Question(asked.read_models, asked.sql, parameters))
            rows: dict[UUID, list[tuple[Any, ...]]] = {}
            for row in found.rows:
                rows.setdefault(row[0], []).append(row[1:])
            return [Found(rows.get(key, []), found.behind) for key in keys]

        answer: Found = await self._together((organization_id, asked), key, serve)
        return answer

    async def page(self, organization_id: str, listing: Listing, place: Place) -> Page:
        """A page of a list. Raises what asking raises, and Invalid for a cursor that is not of this list."""
        asked = question(listing, place)

        async def serve(askers: list[None]) -> list[Page]:
            page = page_of(listing, place, await self._reader.ask(organization_id, asked))
            return [page] * len(askers)

        same = (organization_id, asked.sql, repr(asked.parameters))
        answer: Page = await self._together(same, None, serve)
        return answer

    async def _together(self, group: Hashable, asked_for: Any, serve: Serve) -> Any:
        """What `serve` answers to this asker and those who ask as the same group meanwhile."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if (waiting := self._waiting.get(group)) is not None:
            waiting.append((asked_for, answer))
            return await answer
        self._waiting[group] = [(asked_for, answer)]
        task = asyncio.create_task(self._serve(group, serve))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await answer

    async def _serve(self, group: Hashable, serve: Serve) -> None:
        """Statement by statement, until nobody waits any more."""
        await asyncio.sleep(0)  # let the requests that arrived together join
        while taken := self._waiting[group][:MOST_TOGETHER]:
            del self._waiting[group][: len(taken)]
            await _answer(taken, serve)
        del self._waiting[group]


async def _answer(taken: Waiting, serve: Serve) -> None:
    try:
        answers = await serve([asked_for for asked_for, _ in taken])
    except Exception as error:  # noqa: BLE001  whatever it is, it is everybody's answer
        for _, answer in taken:
            if not answer.done():
                answer.set_exception(error)
        return
    for (_, answer), given in zip(taken, answers, strict=True):
        if not answer.done():  # the caller may have gone away
            answer.set_result(given)
