"""An erasure can be cut off anywhere and is taken up when asked for again; however much there is, work is bounded."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from erasures import ACME, ME, PAT, WANTED, Cut, desk_of, done, fill, key_of, new, readable, topics
from ulid import ULID

from application.activity.create_activity import CreateActivity, create_activity
from application.activity.update_activity import UpdateActivity, update_activity
from application.command import Answer, Order
from application.erasure import erase as erasing
from application.erasure.commands import EraseActivities
from application.erasure.erase import Outcome, Who, erase
from application.erasure.searching import Searching
from application.event_store.keyring import RING
from application.event_store.mapper import activity_key, advance, decode, encode
from application.event_store.reading import streams
from application.refusals import Unavailable
from domain.activity.creation import create
from domain.activity.drafts import ActivityChanges


@pytest.fixture(autouse=True)
def no_projector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PATIENCE", 0.0)


def test_ever_so_many_activities_are_blanked_stretch_by_stretch(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "STRETCH", 100)

    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk:
            await fill(desk, 950)
            return await erase(desk, PAT, WANTED, Who(ME))

    outcome = asyncio.run(scenario())
    assert (outcome.activities, outcome.in_plain, outcome.already) == (950, 0, False)
    assert topics(database).count("activity.personal_data_erased.v1") == 950
    assert topics(database)[-1] == "erasure.completed.v1"
    assert key_of(database) == (False, True, True)
    assert not readable(database)


@pytest.mark.parametrize("cut_at", range(8))
def test_cut_off_anywhere_it_is_taken_up_where_it_was(
    database: str, monkeypatch: pytest.MonkeyPatch, cut_at: int
) -> None:
    monkeypatch.setattr(erasing, "STRETCH", 2)
    served = 0

    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk:
            await fill(desk, 9)
            serve = desk.serve

            async def serve_until_cut(order: Order) -> Answer:
                nonlocal served
                if served == cut_at:
                    raise Cut
                served += 1
                return await serve(order)

            monkeypatch.setattr(desk, "serve", serve_until_cut)
            try:
                first = await erase(desk, PAT, WANTED, Who(ME))
            except Cut:
                assert readable(database), "the key goes last"
                monkeypatch.setattr(desk, "serve", serve)
                return await erase(desk, PAT, WANTED, Who(ME))
            return first

    assert asyncio.run(scenario()).activities == 9
    counts = {topic: topics(database).count(topic) for topic in set(topics(database))}
    assert counts["activity.personal_data_erased.v1"] == 9
    assert counts["erasure.begun.v1"] == counts["erasure.completed.v1"] == counts["record.erased.v1"] == 1
    assert not readable(database)


def test_an_activity_that_changes_while_it_is_looked_at_is_looked_at_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk:
            [id] = await fill(desk, 1)
            rows_of, changed = Searching.rows_of, []

            async def rows_of_then_changed(self: Searching, wanted: Any) -> Any:
                rows = await rows_of(self, wanted)
                if len(changed) < 3 and any(row.topic.startswith("activity.") for one in rows.values() for row in one):
                    changed.append(id)
                    tags = ActivityChanges(tags=[f"t{len(changed)}"])
                    command = UpdateActivity(organization_id=ACME, actor=ME, activity_id=id, changes=tags)
                    await desk.serve(Order(command, update_activity, done))
                return rows

            monkeypatch.setattr(Searching, "rows_of", rows_of_then_changed)
            return await erase(desk, PAT, WANTED, Who(ME))

    assert asyncio.run(scenario()).activities == 1
    assert topics(database).count("activity.personal_data_erased.v1") == 1
    assert not readable(database)


def test_one_that_never_stops_changing_is_not_waited_for_without_end(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "LOOKS", 3)

    async def scenario() -> None:
        async with desk_of(database).opened() as desk:
            await fill(desk, 1)
            serve = desk.serve

            async def serve_nothing(order: Order) -> Answer:
                return Answer(200, b"0") if isinstance(order.command, EraseActivities) else await serve(order)

            monkeypatch.setattr(desk, "serve", serve_nothing)
            await erase(desk, PAT, WANTED, Who(ME))

    with pytest.raises(Unavailable, match="ask for the erasure again"):
        asyncio.run(scenario())
    assert key_of(database) == (True, True, False)


def test_who_is_known_by_activities_alone_is_erased_and_closed_too(database: str) -> None:
    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk:
            made = CreateActivity(organization_id=ACME, actor=ME, new=new())
            await desk.serve(Order(made, create_activity, done))
            return await erase(desk, PAT, WANTED, Who(ME))

    assert asyncio.run(scenario()).activities == 1
    assert "record.erased.v1" in topics(database)
    assert not readable(database)


def test_what_was_stored_before_anything_was_sealed_is_blank_in_every_state_and_told_of(database: str) -> None:
    id = str(ULID())

    async def scenario() -> Outcome:
        async with desk_of(database).opened() as desk:
            made = CreateActivity(organization_id=ACME, actor=ME, new=new(), activity_id=id)
            await desk.serve(Order(made, create_activity, done))
            return await erase(desk, PAT, WANTED, Who(ME))

    with psycopg.connect(database, options="-c search_path=activities", autocommit=True) as connection:
        append_in_plain(connection, id_of_old := str(ULID()))
        outcome = asyncio.run(scenario())
        assert (outcome.activities, outcome.in_plain) == (2, 1)
        state = None
        for row in streams(connection, ACME, [activity_key(id_of_old)], 2**62):
            state = advance(state, decode(row.topic, row.state), row.position)
        assert state is not None
        assert state.subject == "[erased]"  # type: ignore[union-attr]


def append_in_plain(connection: psycopg.Connection[Any], id: str) -> None:
    """As releases before this one appended."""
    now = datetime.now(UTC)
    facts = create(new(), id=id, actor="u-1", currency="EUR", now=now)
    connection.execute(
        "select append_events('acme', %s, %s, %s, %s, %s, %s::jsonb[])",
        (now, [activity_key(id)], [1], [facts[0].name], [encode(facts[0])], ['{"actor": "u-1", "command_id": "x"}']),
    )


@pytest.fixture
def other_master(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(RING, "_secret", lambda: "quite another master key")
    monkeypatch.setattr(RING, "_master", None)
    yield
    RING.forget(ACME)


def test_under_another_master_key_nothing_is_sealed(database: str, other_master: None) -> None:
    """Else nobody could open both halves of the log."""
    with psycopg.connect(database) as connection:
        connection.execute("insert into activities.master_key (fingerprint) values ('of the first one')")

    async def scenario() -> None:
        async with desk_of(database).opened() as desk:
            await fill(desk, 1)

    with pytest.raises(psycopg.Error, match="another master key"):
        asyncio.run(scenario())
    assert topics(database) == []
