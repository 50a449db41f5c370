"""An erasure that was cut off goes on by itself, once, in the name of who asked for it; one under way is left alone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from erasures import ACME, ME, PAT, WANTED, Cut, desk_of, done, fill, key_of, new, readable, topics

from application.activity.create_activity import CreateActivity, create_activity
from application.command import Actor, Answer, Order
from application.desk import Desk
from application.erasure import alone as waiting
from application.erasure import erase as erasing
from application.erasure.alone import UnderWay
from application.erasure.carrying_on import EVERY, CarryingOn
from application.erasure.commands import CompleteErasure, EraseActivities
from application.erasure.erase import Outcome, Person, Who, erase
from application.event_store.keyring import RING
from domain.activity.drafts import NewActivity

ASKED_BY = Who(Actor(user_id="u-7", client="web"), request_id="r-1")
OUTSIDER = Person(ACME, email="Zanzibar@x.example")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PATIENCE", 0.0)
    monkeypatch.setattr(erasing, "STRETCH", 2)


async def cut_off(desk: Desk, person: Person, after: int) -> None:
    """Asked for, and cut off after so many commands."""
    serve, served = desk.serve, 0

    async def serve_until_cut(order: Order) -> Answer:
        nonlocal served
        if served == after:
            raise Cut
        served += 1
        return await serve(order)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk, "serve", serve_until_cut)
        with pytest.raises(Cut):
            await erase(desk, person, WANTED, ASKED_BY)


async def meet(desk: Desk, calls: int) -> None:
    """Calls with nobody's record, in which an outsider takes part."""
    said = new("Weather").model_dump(exclude_unset=True) | {
        "contact_id": None,
        "participants": [{"name": "Zanzibar", "email": "zanzibar@x.example"}],
    }
    for _ in range(calls):
        made = CreateActivity(organization_id=ACME, actor=ME, new=NewActivity.model_validate(said))
        await desk.serve(Order(made, create_activity, done))


def counted(dsn: str) -> dict[str, int]:
    told = topics(dsn)
    return {topic: told.count(topic) for topic in told if "eras" in topic}


def said_by(dsn: str) -> set[tuple[str, str | None, str | None]]:
    """Who is on record for the erasures: user, client, request."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select metadata ->> 'actor', metadata ->> 'client', metadata ->> 'correlation_id'"
            " from activities.events where topic like '%eras%'"
        )
        return set(rows)


def kept_names(dsn: str) -> list[bool]:
    """Of every closed key: is a name kept with it?"""
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("select named is not null from activities.data_keys")]


@pytest.mark.parametrize("after", range(1, 7))
def test_cut_off_anywhere_it_goes_on_in_the_name_of_who_asked(database: str, after: int) -> None:
    async def scenario() -> int:
        async with desk_of(database).opened() as desk:
            await fill(desk, 9)
            await cut_off(desk, PAT, after)
            return await CarryingOn(desk, database).look()

    assert asyncio.run(scenario()) == 1
    assert counted(database) == {
        "erasure.begun.v1": 1,
        "record.erased.v1": 1,
        "activity.personal_data_erased.v1": 9,
        "erasure.completed.v1": 1,
    }
    assert said_by(database) == {("u-7", "web", "r-1")}
    assert key_of(database) == (False, True, True)
    assert not readable(database)


def test_an_outsider_is_known_until_the_end_and_not_a_moment_longer(database: str) -> None:
    async def scenario() -> int:
        async with desk_of(database).opened() as desk:
            await meet(desk, 5)
            await cut_off(desk, OUTSIDER, 2)
            assert kept_names(database) == [True]
            return await CarryingOn(desk, database).look()

    assert asyncio.run(scenario()) == 1
    assert counted(database)["activity.personal_data_erased.v1"] == 5
    assert kept_names(database) == [False]
    assert not readable(database)


def test_nothing_is_done_where_nothing_was_cut_off(database: str) -> None:
    async def scenario() -> int:
        async with desk_of(database).opened() as desk:
            await fill(desk, 1)
            await erase(desk, PAT, WANTED, ASKED_BY)
            before = topics(database)
            looked = await CarryingOn(desk, database).look()
            assert topics(database) == before
            return looked

    assert asyncio.run(scenario()) == 0


async def held(desk: Desk, kind: type[Any], meanwhile: Callable[[], Awaitable[None]]) -> Outcome:
    """An erasure, while whose first command of a kind something else is done."""
    serve, reached, go_on = desk.serve, asyncio.Event(), asyncio.Event()

    async def hold(order: Order) -> Answer:
        if isinstance(order.command, kind) and not reached.is_set():
            reached.set()
            await go_on.wait()
        return await serve(order)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(desk, "serve", hold)
        running = asyncio.create_task(erase(desk, PAT, WANTED, ASKED_BY))
        await reached.wait()
        await meanwhile()
        go_on.set()
        return await running


@pytest.mark.parametrize("kind", [EraseActivities, CompleteErasure])
def test_one_that_is_under_way_is_not_disturbed(database: str, kind: type[Any]) -> None:
    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk, desk_of(database).opened() as other:
            await fill(desk, 5)

            async def somebody_looks() -> None:
                before = topics(database)
                assert await CarryingOn(other, database).look() == 0
                assert topics(database) == before

            return await held(desk, kind, somebody_looks)

    assert asyncio.run(scenario()).activities == 5
    assert counted(database)["activity.personal_data_erased.v1"] == 5


def test_of_those_who_look_at_once_one_takes_it_up(database: str) -> None:
    async def scenario() -> list[int]:
        async with desk_of(database).opened() as desk, desk_of(database).opened() as other:
            await fill(desk, 9)
            await cut_off(desk, PAT, 2)
            return await asyncio.gather(*(CarryingOn(one, database).look() for one in (desk, other, desk, other)))

    assert sum(asyncio.run(scenario())) == 1
    assert counted(database)["activity.personal_data_erased.v1"] == 9
    assert counted(database)["erasure.completed.v1"] == 1


def test_who_asks_for_what_is_under_way_waits_for_its_end(database: str) -> None:
    async def scenario() -> tuple[Outcome, Outcome]:
        async with desk_of(database).opened() as desk, desk_of(database).opened() as other:
            await fill(desk, 5)
            second: list[asyncio.Task[Outcome]] = []

            async def somebody_asks() -> None:
                second.append(asyncio.create_task(erase(other, PAT, WANTED, Who(ME))))
                await asyncio.sleep(0.3)
                assert not second[0].done()

            return await held(desk, EraseActivities, somebody_asks), await second[0]

    first, second = asyncio.run(scenario())
    assert (first.activities, first.already) == (5, False)
    assert second.already
    assert said_by(database) == {("u-7", "web", "r-1")}


def test_but_not_for_ever(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "TURN", 2 * waiting._PAUSE)

    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk, desk_of(database).opened() as other:
            await fill(desk, 1)

            async def somebody_asks() -> None:
                with pytest.raises(UnderWay, match="ask again how it ended"):
                    await erase(other, PAT, WANTED, Who(ME))

            return await held(desk, EraseActivities, somebody_asks)

    assert asyncio.run(scenario()).activities == 1


def test_one_that_cannot_be_completed_keeps_no_other_from_it_and_is_tried_later(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> list[int]:
        async with desk_of(database).opened() as desk:
            await meet(desk, 1)
            await fill(desk, 1)
            await cut_off(desk, OUTSIDER, 1)
            with psycopg.connect(database) as connection:  # as if an earlier release had begun it: it kept no name
                connection.execute("update activities.data_keys set named = null")
            await cut_off(desk, PAT, 1)
            carrying_on = CarryingOn(desk, database)
            return [await carrying_on.look() for _ in range(3)]

    with caplog.at_level(logging.INFO):
        assert asyncio.run(scenario()) == [1, 0, 0]
    told = [record.getMessage() for record in caplog.records if "cut off" in record.getMessage()]
    assert len([text for text in told if f"tried again in {EVERY:.0f} s: NotKnown" in text]) == 1, "not at once again"
    assert len([text for text in told if "is complete now" in text]) == 1
    assert not any("anzibar" in text or "pat" in text.split() for text in told)


def test_a_name_opens_for_its_own_erasure_alone() -> None:
    sealed = RING.sealed_name(ACME, "e-1", "zanzibar@x.example")
    assert b"zanzibar" not in sealed
    assert RING.name_in(ACME, "e-1", sealed) == "zanzibar@x.example"
    for organization, erasure in ((ACME, "e-2"), ("other", "e-1")):
        with pytest.raises(Exception, match="another master key"):
            RING.name_in(organization, erasure, sealed)
