"""Those who ask the same are answered together, by a statement that began after they asked."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.refusals import Invalid
from projections.gathering import Gatherer, PointQuestion
from projections.paging import Listing, Place, Sort
from projections.reading import Found, Question, Reader

NUMBERS = "generate_series(1, 30) as l(n)"


def numbers(at_least: int) -> Listing:
    return Listing(
        read_models=(),
        of=NUMBERS,
        key="lpad(l.n::text, 32, '0')::uuid",
        columns="l.n",
        where=["l.n >= %(at_least)s"],
        parameters={"at_least": at_least},
        sort=Sort("n", "l.n", "int"),
        shown="l.n::text",
    )


ROW = PointQuestion((), "select key, key::text from unnest(%(keys)s::uuid[]) as key")


class CountingReader(Reader):
    """A reader that remembers what it asked, and asks only once it may."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.asked: list[Question] = []
        self.begun, self.may = asyncio.Event(), asyncio.Event()
        self.may.set()

    async def ask(self, organization_id: str, question: Question) -> Found:
        self.asked.append(question)
        self.begun.set()
        await self.may.wait()
        return await super().ask(organization_id, question)


def gathered(dsn: str, scenario: Any) -> Any:
    async def run() -> Any:
        async with CountingReader(dsn).opened() as reader:
            return await scenario(Gatherer(reader), reader)

    return asyncio.run(run())


def test_the_same_question_of_many_is_asked_once(database: str) -> None:
    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        pages = await asyncio.gather(*(gatherer.page("acme", numbers(3), Place(per_page=2)) for _ in range(20)))
        return pages, len(reader.asked)

    pages, asked = gathered(database, scenario)
    assert [page.items for page in pages] == [["3", "4"]] * 20
    assert {page.total for page in pages} == {28}
    assert asked == 1


def test_other_questions_pages_and_organisations_are_asked_for_themselves(database: str) -> None:
    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        pages = await asyncio.gather(
            gatherer.page("acme", numbers(3), Place(per_page=2)),
            gatherer.page("acme", numbers(5), Place(per_page=2)),
            gatherer.page("acme", numbers(3), Place(per_page=2, page=2)),
            gatherer.page("bolt", numbers(3), Place(per_page=2)),
        )
        return [page.items for page in pages], len(reader.asked)

    assert gathered(database, scenario) == ([["3", "4"], ["5", "6"], ["5", "6"], ["3", "4"]], 4)


def test_nobody_is_answered_by_a_statement_that_was_under_way_before_they_asked(database: str) -> None:
    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        reader.may.clear()
        first = asyncio.create_task(gatherer.page("acme", numbers(1), Place()))
        await reader.begun.wait()
        later = [asyncio.create_task(gatherer.page("acme", numbers(1), Place())) for _ in range(5)]
        await asyncio.sleep(0)
        before = len(reader.asked)
        reader.may.set()
        await asyncio.gather(first, *later)
        return before, len(reader.asked)

    assert gathered(database, scenario) == (1, 2)


def test_rows_are_asked_for_together_and_each_asker_gets_their_own(database: str) -> None:
    keys = [uuid4() for _ in range(20)]

    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        found = await asyncio.gather(*(gatherer.row("acme", ROW, key) for key in [*keys, *keys]))
        return [one.rows for one in found], len(reader.asked)

    rows, asked = gathered(database, scenario)
    assert rows == [[(str(key),)] for key in [*keys, *keys]]
    assert asked == 1


def test_what_cannot_be_answered_is_everybodys_refusal_and_the_next_is_answered(database: str) -> None:
    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        wrong = [gatherer.page("acme", numbers(1), Place(cursor="none of ours")) for _ in range(3)]
        refused = await asyncio.gather(*wrong, return_exceptions=True)
        dividing = PointQuestion((), "select key, 1 / 0 from unnest(%(keys)s::uuid[]) as key")
        failed = await asyncio.gather(
            *(gatherer.row("acme", dividing, UUID(int=1)) for _ in range(3)), return_exceptions=True
        )
        return refused, failed, (await gatherer.row("acme", ROW, UUID(int=1))).rows

    refused, failed, rows = gathered(database, scenario)
    assert [type(one) for one in refused] == [Invalid] * 3
    assert len({id(one) for one in failed}) == 1
    assert rows == [(str(UUID(int=1)),)]


def test_an_asker_who_goes_away_takes_nobody_along(database: str) -> None:
    async def scenario(gatherer: Gatherer, reader: CountingReader) -> Any:
        reader.may.clear()
        gone, stays = (asyncio.create_task(gatherer.page("acme", numbers(29), Place())) for _ in range(2))
        await reader.begun.wait()
        gone.cancel()
        reader.may.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return (await stays).items

    assert gathered(database, scenario) == ["29", "30"]
