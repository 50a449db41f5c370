"""Many questions on one connection: each has its own answer and its own failure, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.errors import DivisionByZero, InFailedSqlTransaction

from application.postgres import wire as wires_module
from application.postgres.transaction import Transaction
from application.postgres.wire import Silent, Wire, numbered
from application.postgres.wires import Wires
from application.refusals import Unavailable

ONE = ("select %(n)s::int", {"n": 1})


@asynccontextmanager
async def a_wire(dsn: str, patience: float = 10) -> AsyncIterator[Wire]:
    wire = await Wire.connected(dsn, patience)
    try:
        yield wire
    finally:
        wire.close()


def on_a_wire(dsn: str, scenario: Callable[[Wire], Awaitable[Any]], patience: float = 10) -> Any:
    async def run() -> Any:
        async with a_wire(dsn, patience) as wire:
            return await scenario(wire)

    return asyncio.run(run())


class TestAWire:
    def test_gives_each_of_many_askers_their_own_answer(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            asked = [wire.ask(("select %(n)s::int, %(n)s::int * 2", {"n": n})) for n in range(500)]
            assert wire.under_way == 500
            return await asyncio.gather(*asked)

        assert on_a_wire(empty_database, scenario) == [[[(n, 2 * n)]] for n in range(500)]

    def test_answers_all_statements_of_a_question_of_one_moment(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            now = ("select now()", {})
            return await wire.ask(now, ("select pg_sleep(%(s)s)", {"s": 0.01}), now)

        first, _, last = on_a_wire(empty_database, scenario)
        assert first == last

    def test_fails_nobody_but_the_one_whose_question_fails(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            wrong = ("select 1 / %(n)s::int", {"n": 0})
            asked = [wire.ask(ONE), wire.ask(ONE, wrong, ONE), wire.ask(ONE), wire.ask(wrong), wire.ask(ONE, ONE)]
            return await asyncio.gather(*asked, return_exceptions=True)

        first, second, third, fourth, fifth = on_a_wire(empty_database, scenario)
        assert first == third == [[(1,)]]
        assert fifth == [[(1,)], [(1,)]]
        assert isinstance(second, DivisionByZero)
        assert isinstance(fourth, DivisionByZero)

    def test_refuses_what_cannot_be_sent_before_anything_is(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            with pytest.raises(psycopg.DataError):
                wire.ask(ONE, ("select %(text)s::text", {"text": "NUL \0"}))
            assert wire.under_way == 0
            return await wire.ask(ONE)

        assert on_a_wire(empty_database, scenario) == [[(1,)]]

    def test_keeps_so_many_statements_prepared_and_answers_the_others_all_the_same(
        self, empty_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(wires_module, "MOST_PREPARED", 5)

        async def scenario(wire: Wire) -> Any:
            asked = [wire.ask((f"select %(n)s::int + {n % 20}", {"n": n})) for n in range(100)]
            answers = await asyncio.gather(*asked)
            [prepared] = await wire.ask(("select count(*)::int from pg_prepared_statements", {}))
            return answers, prepared

        answers, prepared = on_a_wire(empty_database, scenario)
        assert answers == [[[(n + n % 20,)]] for n in range(100)]
        assert prepared == [(5,)]

    def test_tells_everybody_when_the_connection_is_lost(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            [[(backend,)]] = await wire.ask(("select pg_backend_pid()", {}))
            asked = [wire.ask(("select pg_sleep(%(s)s)", {"s": 20})), wire.ask(ONE)]
            with psycopg.connect(empty_database, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", (backend,))
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            assert wire.closed
            return [*outcomes, *await asyncio.gather(wire.ask(ONE), return_exceptions=True)]

        outcomes = on_a_wire(empty_database, scenario)
        assert [type(outcome) for outcome in outcomes[1:]] == [psycopg.OperationalError] * 2
        assert isinstance(outcomes[0], psycopg.OperationalError)

    def test_listens_no_more_once_the_connection_is_lost(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            [[(backend,)]] = await wire.ask(("select pg_backend_pid()", {}))
            with psycopg.connect(empty_database, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", (backend,))
            await asyncio.gather(wire.ask(ONE), return_exceptions=True)
            return asyncio.get_running_loop().remove_reader(wire.fileno)

        assert on_a_wire(empty_database, scenario) is False  # there was none any more

    def test_takes_silence_for_its_end(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            asked = [wire.ask(("select pg_sleep(%(s)s)", {"s": 20})), wire.ask(ONE)]
            return await asyncio.gather(*asked, return_exceptions=True)

        outcomes = on_a_wire(empty_database, scenario, patience=0.2)
        assert [type(outcome) for outcome in outcomes] == [Silent, Silent]

    def test_minds_neither_big_questions_nor_big_answers(self, empty_database: str) -> None:
        text = "x" * 3_000_000

        async def scenario(wire: Wire) -> Any:
            return await asyncio.gather(*(wire.ask(("select %(text)s::text", {"text": text})) for _ in range(4)))

        assert on_a_wire(empty_database, scenario) == [[[(text,)]]] * 4

    def test_outlives_an_asker_who_goes_away(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            gone = wire.ask(("select pg_sleep(%(s)s)", {"s": 0.05}))
            stays = wire.ask(ONE)
            gone.cancel()
            return await stays

        assert on_a_wire(empty_database, scenario) == [[(1,)]]


def test_parameters_are_numbered_by_name_or_in_order() -> None:
    assert numbered("select %(a)s, %(b)s, %(a)s") == (b"select $1, $2, $1", ("a", "b"))
    assert numbered("select %s, %s") == (b"select $1, $2", ())
    assert numbered("select 1") == (b"select 1", ())


class TestWires:
    def test_are_opened_as_they_are_needed_and_no_more_than_allowed(self, empty_database: str) -> None:
        async def scenario() -> tuple[int, int]:
            wires = Wires(empty_database, size=3, patience=10)
            sleep = ("select pg_backend_pid(), pg_sleep(%(s)s)", {"s": 0.05})
            [[(alone, _)]] = await wires.ask(sleep)
            [[(again, _)]] = await wires.ask(sleep)
            for _ in range(3):  # the first to find all busy has another opened for those who come later
                answers = await asyncio.gather(*(wires.ask(sleep) for _ in range(12)))
            await wires.close()
            return int(alone == again), len({backend for [[(backend, _)]] in answers})

        assert asyncio.run(scenario()) == (1, 3)

    def test_replace_one_that_was_lost(self, empty_database: str) -> None:
        async def scenario() -> Any:
            wires = Wires(empty_database, size=1, patience=10)
            [[(backend,)]] = await wires.ask(("select pg_backend_pid()", {}))
            with psycopg.connect(empty_database, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", (backend,))
            lost = await asyncio.gather(wires.ask(("select pg_sleep(%(s)s)", {"s": 5})), return_exceptions=True)
            found = await wires.ask(ONE)
            await wires.close()
            return lost, found

        [lost], found = asyncio.run(scenario())
        assert isinstance(lost, psycopg.OperationalError)
        assert found == [[(1,)]]

    def test_send_away_whoever_comes_when_too_many_wait(
        self, empty_database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("application.postgres.wires.MOST_UNDER_WAY", 4)

        async def scenario() -> list[Any]:
            wires = Wires(empty_database, size=1, patience=10)
            await wires.ask(ONE)
            asked = [wires.ask(("select pg_sleep(%(s)s)", {"s": 0.05})) for _ in range(6)]
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
            await wires.close()
            return outcomes

        outcomes = asyncio.run(scenario())
        assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False] * 4 + [True] * 2


class TestATransaction:
    def test_asks_once_for_all_that_gathered(self, empty_database: str) -> None:
        async def scenario(wire: Wire) -> Any:
            async with Transaction(wire) as transaction:
                first = await transaction.execute("create temporary table t (n int)")
                await transaction.execute("insert into t values (%s), (%s)", (1, 2))
                found = await transaction.execute("select n from t where n > %(least)s", {"least": 1})
                assert (first.rows, found.rows) == (None, None)
                assert wire.under_way == 0
                rows = await found.fetchall()
                assert first.rows == []
            return rows, await wire.ask(("select count(*)::int from t", ()))

        assert on_a_wire(empty_database, scenario) == ([(2,)], [[(2,)]])

    @pytest.mark.parametrize("when", ["asked", "committed", "neither"])
    def test_leaves_nothing_when_it_fails(self, empty_database: str, when: str) -> None:
        async def failing(wire: Wire) -> None:
            async with Transaction(wire) as transaction:
                await (await transaction.execute("insert into t values (%s)", (1,))).fetchall()
                if when == "asked":
                    await (await transaction.execute("select 1 / %s::int", (0,))).fetchall()
                if when == "neither":
                    raise ZeroDivisionError
                await transaction.execute("insert into t values (%s)", (1,))

        async def scenario(wire: Wire) -> Any:
            await wire.ask(("create table t (n int unique deferrable initially deferred)", ()))
            with pytest.raises((psycopg.Error, ZeroDivisionError)):
                await failing(wire)
            return await wire.ask(("select count(*)::int from t", ()))

        assert on_a_wire(empty_database, scenario) == [[(0,)]]

    def test_that_failed_is_never_taken_for_committed(self, empty_database: str) -> None:
        async def ignoring(wire: Wire) -> None:
            async with Transaction(wire) as transaction:
                with suppress(DivisionByZero):
                    await (await transaction.execute("select 1 / %s::int", (0,))).fetchall()

        async def scenario(wire: Wire) -> Any:
            with pytest.raises(InFailedSqlTransaction):
                await ignoring(wire)
            return await wire.ask(ONE)

        assert on_a_wire(empty_database, scenario) == [[(1,)]]
