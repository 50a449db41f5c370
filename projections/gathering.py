"""Questions for single rows that wait together are answered by one statement.

While one statement is under way the next questions gather, so the busier the service, the less a question costs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from projections.reading import Found, Question, Reader

MOST_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class PointQuestion:
    """SQL for the rows whose key is one of %(keys)s, the key in the first column; other parameters: organization_id."""

    read_models: Sequence[str]
    sql: str


Group = tuple[str, PointQuestion]
Asked = list[tuple[UUID, asyncio.Future[Found]]]


class Gatherer:
    """Gathers the point questions of one worker by organisation and kind of question."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._waiting: dict[Group, Asked] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, organization_id: str, question: PointQuestion, key: UUID) -> Found:
        """The rows of one key, as fresh as those of any other question."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        group = (organization_id, question)
        if (asked := self._waiting.get(group)) is not None:
            asked.append((key, answer))
            return await answer
        self._waiting[group] = [(key, answer)]
        task = asyncio.create_task(self._serve(group))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await answer

    async def _serve(self, group: Group) -> None:
        """Statement by statement, until nobody waits any more."""
        await asyncio.sleep(0)  # let the requests that arrived together join
        while asked := self._waiting[group][:MOST_TOGETHER]:
            del self._waiting[group][: len(asked)]
            await self._answer(group, asked)
        del self._waiting[group]

    async def _answer(self, group: Group, asked: Asked) -> None:
        organization_id, question = group
        parameters = {"organization_id": organization_id, "keys": list({key for key, _ in asked})}
        try:
            found = await self._reader.ask(organization_id, Question(question.read_models, question.sql, parameters))
        except Exception as error:  # noqa: BLE001  whatever it is, it is everybody's answer
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        rows: dict[UUID, list[tuple[Any, ...]]] = {}
        for row in found.rows:
            rows.setdefault(row[0], []).append(row[1:])
        for key, answer in asked:
            if not answer.done():  # the caller may have gone away
                answer.set_result(Found(rows.get(key, []), found.behind))
