"""What releases before the seals stored in plain is sealed at the upgrade, so that an erasure holds for it, too.

The databases of these releases are in `tests/data`, see test_upgrades.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from ordinary_owner import ordinary_owner
from proving import Proving
from service import eventually
from stored import Place, StoredLog

from api.commands.backups import restore_from
from api.serving.database import bring_up_to_date
from api.serving.errors import CannotServe
from api.serving.upgrading import logged
from application.backup.restoring import put_back
from application.command import Actor, Answer, Order, Policy
from application.desk import Desk
from application.erasure import erase as erasing
from application.erasure.erase import Outcome, Person, Who, erase
from application.event_store import keyring
from application.event_store.keyring import RING
from application.event_store.mapper import activity_key, record_key
from application.postgres.connections import Role, conninfo, writer_of
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import migrate
from application.sealing_the_past import stretch
from application.sealing_the_past.keys import KeysOfThePast
from application.sealing_the_past.walking import Sealed, seal_the_past
from application.settings import Settings
from domain.erasure.drafts import Basis, Erasure
from domain.vocabulary import RecordKind
from projections.audit_tree import growing
from projections.audit_tree.growing import Growing

DATA = Path(__file__).parents[1] / "data"
IN_PLAIN = [1, 2, 3, 4, 5]
"""The releases that sealed nothing."""
SEALING = 11
BEFORE_THE_PAST = 13
"""The migration with which sealing and the tree came: its release sealed nothing of what was there."""

CON_9 = Person("acme", RecordKind.CONTACT, "con-9")
OBSERVER = Person("acme", email="x@bolt.test")
"""Of both the golden corpus speaks; neither has a record."""
PATIENCE = 60.0
WANTED = Erasure(basis=Basis.OBJECTION)
ME = Who(Actor(user_id="u-1"))


class Cut(Exception):
    """The process ends here."""


@pytest.fixture(autouse=True)
def no_projector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "PATIENCE", 0.0)


def quiet(count: int) -> None:
    """Nobody is told of the progress."""


def put_back_release(dsn: str, version: int) -> None:
    put_back(dsn, DATA / f"schema-{version:04}.backup", quiet)


def upgrade(dsn: str, told: Callable[[int], None] = quiet) -> Sealed:
    """Migrate and seal, as every command does that opens a database."""
    done: list[Sealed] = []

    @contextmanager
    def telling() -> Iterator[Callable[[int], None]]:
        yield told

    migrate(dsn, then=lambda connection: done.append(seal_the_past(connection, telling)))
    return done[0]


def ask(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, options="-c search_path=activities", autocommit=True) as connection:
        return connection.execute(sql).fetchall()


def erased(dsn: str, person: Person) -> Outcome:
    async def scenario() -> Outcome:
        async with Desk(writer_of(dsn), policy=Policy(strict_references=False), lanes=1).opened() as desk:
            return await erase(desk, person, WANTED, ME)

    return asyncio.run(scenario())


@pytest.mark.parametrize("version", IN_PLAIN)
def test_nothing_personal_is_left_in_plain_and_every_fact_is_what_it_was(empty_database: str, version: int) -> None:
    put_back_release(empty_database, version)
    migrate(empty_database)
    before = StoredLog(empty_database)
    assert len(before.in_plain()) > 40
    done = upgrade(empty_database)
    after = StoredLog(empty_database)
    assert after.in_plain() == set()
    assert after.said() == before.said()
    assert after.states == before.states
    assert done.left == set()
    changed = {place for place, row in after.rows.items() if row != before.rows[place]}
    assert changed == before.in_plain()
    assert done.facts == len(changed)


def append(dsn: str, stream: UUID, *facts: tuple[str, dict[str, Any]]) -> None:
    """As the releases that sealed nothing did."""
    with psycopg.connect(dsn, options="-c search_path=activities") as connection:
        for version, (topic, fact) in enumerate(facts, start=1):
            connection.execute(
                "select append_events('acme', now(), %s, %s, %s, %s, array['{}'::jsonb])",
                ([stream], [version], [topic], [json.dumps({"at": "2025-12-20T14:00:00Z", **fact}).encode()]),
            )


def test_whatever_was_said_is_sealed_and_read_as_before(empty_database: str) -> None:
    """Nulls where they are told from nothing, what is blank already, whoever has no address, signs of every kind."""
    migrate(empty_database)
    id = "01JFJ00000000000000000ZZZZ"
    people = [
        {"kind": "external", "id": None, "email": None, "name": "Zanzibar", "role": None},
        {"kind": "external", "email": "zanzibar@x.example", "name": None, "attended": True},
        {"kind": "contact", "id": "pat"},
    ]
    created = {
        "id": id,
        "created_by": "u-1",
        "type": "call",
        "subject": "[erased]",
        "description": 'Zanzibar "\\ \u2028 é',
        "activityable_type": "lead",
        "activityable_id": "l-1",
        "assigned_user_id": "u-1",
        "participants": people,
    }
    updated = {"description": None, "location": "", "custom_fields": {"Zanzibar": {"Zanzibar": 1}}, "contact_id": "pat"}
    append(
        empty_database,
        activity_key(id),
        ("activity.created.v1", created),
        ("activity.updated.v1", updated),
        ("activity.completed.v1", {"completed_at": "2025-12-20T14:00:00Z", "outcome": "Zanzibar"}),
    )
    append(
        empty_database,
        record_key("contact", "pat"),
        (
            "record.created.v1",
            {"id": "pat", "kind": "contact", "fields": {"tags": [], "name": "Zanzibar", "phone": None}},
        ),
        ("record.updated.v1", {"fields": {"notes": "Zanzibar", "status": "x", "phone": "Zanzibar"}}),
        ("record.updated.v1", {"fields": {"notes": None}}),
    )
    before = StoredLog(empty_database)
    assert upgrade(empty_database).facts == 5
    after = StoredLog(empty_database)
    assert after.states == before.states
    assert str(after.states) == str(before.states), "in the same order, too"
    assert not any(b"anzibar" in row[3] for row in after.rows.values())
    for place, fact in after.facts.items():
        assert fact.model_fields_set == before.facts[place].model_fields_set


@pytest.mark.parametrize("version", IN_PLAIN)
@pytest.mark.parametrize("person", [CON_9, OBSERVER], ids=["contact", "outsider"])
def test_an_erasure_leaves_nothing_of_what_they_said(empty_database: str, version: int, person: Person) -> None:
    put_back_release(empty_database, version)
    upgrade(empty_database)
    texts = StoredLog(empty_database).of("acme", person.key)
    assert len(texts) >= 2
    outcome = erased(empty_database, person)
    assert outcome.activities > 0
    assert outcome.in_plain == 0
    log = StoredLog(empty_database)
    assert log.mentions("acme", texts) == set()
    assert log.mentions("beta", texts) == texts, "they are somebody else there"


def test_a_record_of_an_earlier_release_is_erased_wholly(empty_database: str) -> None:
    put_back_release(empty_database, 5)
    upgrade(empty_database)
    texts = StoredLog(empty_database).of("acme", record_key("contact", "rec-12"))
    assert len(texts) >= 3
    assert erased(empty_database, Person("acme", RecordKind.CONTACT, "rec-12")).in_plain == 0
    # Another contact of the corpus has the same name.
    others = StoredLog(empty_database).of("acme", record_key("contact", "rec-11"))
    assert StoredLog(empty_database).mentions("acme", texts - others) == set()


@pytest.mark.parametrize("cut_at", range(1, 9))
@pytest.mark.parametrize("within", [False, True], ids=["between two stretches", "within one"])
def test_cut_off_anywhere_it_is_taken_up_again(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, cut_at: int, within: bool
) -> None:
    monkeypatch.setattr(stretch, "STRETCH", 5)
    put_back_release(empty_database, 5)
    migrate(empty_database)
    before = StoredLog(empty_database)
    passed = 0

    def until_cut(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == cut_at:
            raise Cut

    with monkeypatch.context() as cutting:
        keep = KeysOfThePast.keep
        if within:
            cutting.setattr(KeysOfThePast, "keep", lambda keys: (keep(keys), until_cut()))
        with pytest.raises(Cut):
            upgrade(empty_database, quiet if within else until_cut)
    half = StoredLog(empty_database)
    assert half.said() == before.said()
    assert half.in_plain()
    assert ask(empty_database, "select count(*) from past where sealed_at is not null") == [(0,)]

    upgrade(empty_database)
    after = StoredLog(empty_database)
    assert after.in_plain() == set()
    assert after.said() == before.said()
    sealed_at_first = {place for place in before.in_plain() if half.rows[place] != before.rows[place]}
    assert all(after.rows[place] == half.rows[place] for place in sealed_at_first)
    assert ask(
        empty_database, "select max(n) from (select count(*) as n from data_keys group by subject, organization_id) k"
    ) == [(1,)]
    assert ask(empty_database, "select count(*) from past where sealed_at is not null") == [(1,)]


def test_a_second_run_changes_nothing_nor_does_it_look(empty_database: str) -> None:
    put_back_release(empty_database, 5)
    upgrade(empty_database)
    before = ask(empty_database, "select *, xmin from events order by organization_id, position")

    def looked(count: int) -> None:
        raise AssertionError("it looked at the log")

    assert upgrade(empty_database, looked) == Sealed()
    assert ask(empty_database, "select *, xmin from events order by organization_id, position") == before
    ask(empty_database, "delete from past returning 1")  # even if nobody remembered
    assert upgrade(empty_database) == Sealed()
    assert ask(empty_database, "select *, xmin from events order by organization_id, position") == before


def test_in_an_empty_database_there_is_no_past(empty_database: str) -> None:
    assert upgrade(empty_database) == Sealed()
    assert ask(empty_database, "select sealed_at is not null from past") == [(True,)]


def test_the_tree_grows_over_what_is_sealed_and_is_proven(
    empty_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_back_release(empty_database, 5)
    upgrade(empty_database)
    proving = Proving(empty_database, tmp_path)
    proving.sign()
    assert proving.signed() == len([place for place in StoredLog(empty_database).rows if place[0] == "acme"])
    assert proving.scrub(capsys).code == 0
    assert proving.verify(proving.bundle()).code == 0
    erased(empty_database, CON_9)
    proving.sign()
    assert proving.scrub(capsys).code == 0
    assert proving.verify(proving.bundle()).code == 0


def grow(dsn: str, stretches: int) -> None:
    """Take the first five events of so many logs into their trees, as the release did that did not seal before."""
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR), autocommit=True) as connection:
        trees = Growing()
        trees.look(connection)
        for _ in range(stretches):
            trees.step(connection, epoch=1)


def covered(places: set[Place]) -> set[Place]:
    return {place for place in places if place[1] <= 5}


def test_what_the_tree_covers_already_is_left_alone_and_counted(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_back_release(empty_database, 5)
    migrate(empty_database, upto=BEFORE_THE_PAST)
    monkeypatch.setattr(growing, "STRETCH", 5)
    grow(empty_database, stretches=2)
    migrate(empty_database)
    before = StoredLog(empty_database)
    upgrade(empty_database)
    after = StoredLog(empty_database)
    assert after.in_plain() == covered(before.in_plain())
    assert all(after.rows[place] == before.rows[place] for place in covered(set(after.rows)))
    proving = Proving(empty_database, tmp_path)
    proving.sign()
    assert proving.scrub(capsys).code == 0
    assert proving.verify(proving.bundle()).code == 0
    said = {place for place, (fields, who, _) in before.whose.items() if fields and who == CON_9.key}
    assert erased(empty_database, CON_9).in_plain == len(covered({place for place in said if place[0] == "acme"})) > 0


def test_a_database_whose_tree_covers_all_is_as_it_was(empty_database: str) -> None:
    put_back_release(empty_database, SEALING)
    before = ask(empty_database, "select *, xmin from events order by organization_id, position")
    assert upgrade(empty_database) == Sealed()
    assert ask(empty_database, "select *, xmin from events order by organization_id, position") == before
    assert erased(empty_database, CON_9).in_plain > 0, "what its release left in plain is counted as ever"
    assert erased(empty_database, Person("gamma", RecordKind.CONTACT, "c-kept")).in_plain == 0


def test_a_tree_that_grows_meanwhile_is_waited_for(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_back_release(empty_database, 5)
    migrate(empty_database)
    monkeypatch.setattr(growing, "STRETCH", 5)
    before = StoredLog(empty_database)
    sealing = threading.Thread(target=upgrade, args=(empty_database,))
    with psycopg.connect(conninfo(empty_database, Role.PROJECTOR)) as connection:
        trees = Growing()
        trees.look(connection)
        trees.step(connection, epoch=1)
        trees.step(connection, epoch=1)
        sealing.start()
        waiting = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        eventually(lambda: ask(empty_database, waiting) == [(1,)], PATIENCE, "the sealing waits for the tree")
        connection.commit()
    sealing.join(PATIENCE)
    assert not sealing.is_alive()
    assert StoredLog(empty_database).in_plain() == covered(before.in_plain())
    Proving(empty_database, tmp_path).sign()
    assert Proving(empty_database, tmp_path).scrub(capsys).code == 0


def test_what_was_said_of_a_person_erased_before_is_sealed_for_nobody(empty_database: str) -> None:
    """By the release that could erase, and left this in plain: no tree covers it yet."""
    texts, before = erased_in_plain(empty_database, CON_9)
    assert upgrade(empty_database).left == set()
    after = StoredLog(empty_database)
    assert after.mentions("acme", texts) == set()
    assert after.mentions("beta", texts) == texts
    assert after.in_plain() == set()
    assert after.states == before.states
    keys = "select count(*), count(wrapped_key) from data_keys where erasure_id is not null"
    assert ask(empty_database, keys) == [(1, 0)], "no key came back"


def test_likewise_of_an_outsider_whom_nobody_can_know_by_then(empty_database: str) -> None:
    """But by what the erasure blanked. From where they had been taken off before, they go when asked for again."""
    texts, before = erased_in_plain(empty_database, OBSERVER)
    streams = {before.rows[place][0] for place, fact in before.facts.items() if getattr(fact, "people", ())}
    named = {place for place, (_, _, people) in before.whose.items() if OBSERVER.key in {who for _, who in people}}
    blanked = {place for place in named if before.rows[place][0] in streams}
    beta = {place for place in blanked if place[0] == "beta"}
    assert len(blanked - beta) > 5
    upgrade(empty_database)
    after = StoredLog(empty_database)
    assert after.in_plain() == set()
    assert after.states == before.states
    assert {place for place in blanked if "Observer" in str(after.facts[place])} == beta
    assert erased(empty_database, OBSERVER).in_plain == 0
    assert StoredLog(empty_database).mentions("acme", texts) == set()


def erased_in_plain(dsn: str, person: Person) -> tuple[set[str], StoredLog]:
    """A person is erased by the release that could not seal what was there; what is said of them, and the log then."""
    put_back_release(dsn, 5)
    migrate(dsn, upto=BEFORE_THE_PAST)
    texts = StoredLog(dsn).of("acme", person.key)
    assert erased(dsn, person).activities > 0
    migrate(dsn)
    log = StoredLog(dsn)
    assert log.mentions("acme", texts) == texts
    return texts, log


def test_an_erasure_that_was_cut_off_before_takes_it_away_when_it_is_taken_up(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_back_release(empty_database, 5)
    migrate(empty_database, upto=BEFORE_THE_PAST)
    texts = StoredLog(empty_database).of("acme", CON_9.key)

    async def begun() -> None:
        async with Desk(writer_of(empty_database), policy=Policy(strict_references=False), lanes=1).opened() as desk:
            serve = desk.serve

            async def serve_once(order: Order) -> Answer:
                monkeypatch.setattr(desk, "serve", cut)
                return await serve(order)

            async def cut(order: Order) -> Answer:
                raise Cut

            monkeypatch.setattr(desk, "serve", serve_once)
            await erase(desk, CON_9, WANTED, ME)

    with pytest.raises(Cut):
        asyncio.run(begun())
    upgrade(empty_database)
    log = StoredLog(empty_database)
    assert log.in_plain() == set()
    assert log.mentions("acme", texts) == texts, "until the erasure is complete"
    outcome = erased(empty_database, CON_9)
    assert outcome.activities > 0
    assert outcome.in_plain == 0
    assert StoredLog(empty_database).mentions("acme", texts) == set()


def test_a_stream_that_cannot_be_read_is_left_and_told_of(
    empty_database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put_back_release(empty_database, 5)
    [(key, strange)] = ask(
        empty_database,
        "update events set topic = 'activity.from_the_future.v9' where topic = 'activity.waited.v1'"
        " and originator_version = 2 and organization_id = 'acme' returning originator_id, position",
    )
    with caplog.at_level(logging.INFO):
        bring_up_to_date(Settings(database_url=empty_database, data_dir=tmp_path), empty_database, logged)
    assert "1 streams could not be read: what they say stays in plain" in caplog.messages
    ask(empty_database, "update events set topic = 'activity.waited.v1' where topic ~ 'future' returning 1")
    assert StoredLog(empty_database).in_plain() == {("acme", strange)}, f"of {key} what follows it, nothing else"


def test_an_owner_who_is_no_superuser_seals_too(server: EmbeddedPostgres, template: str) -> None:
    with ordinary_owner(server, may_create_roles=False) as dsn:
        fact = {"id": "r-1", "kind": "contact", "fields": {"name": "Zanzibar"}}
        append(dsn, record_key("contact", "r-1"), ("record.created.v1", fact))
        assert upgrade(dsn).facts == 1
        with psycopg.connect(dsn, options="-c search_path=activities") as connection:
            connection.execute("set local activities.organization_id = 'acme'")
            [(state,)] = connection.execute("select convert_from(state, 'UTF8') from events").fetchall()
        assert state.startswith('{"sealed":[')
        assert "Zanzibar" not in state


def settings_of(dsn: str, data_dir: Path) -> Settings:
    return Settings(database_url=dsn, data_dir=data_dir)


@pytest.fixture
def no_key_given(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where nobody set one. The process's ring is another one meanwhile."""
    monkeypatch.delenv("ACTIVITIES_ENCRYPTION_KEY")
    monkeypatch.setattr(keyring, "_settings", None)
    monkeypatch.setattr(RING, "_master", None)
    yield
    for organization_id in ("acme", "beta"):
        RING.forget(organization_id)


def test_it_is_not_sealed_under_a_key_that_may_be_gone_tomorrow(
    empty_database: str, tmp_path: Path, no_key_given: None
) -> None:
    """A new data directory, a database elsewhere: what was readable for years would hang upon that directory."""
    put_back_release(empty_database, 5)
    with pytest.raises(CannotServe, match="ACTIVITIES_ENCRYPTION_KEY"):
        bring_up_to_date(settings_of(empty_database, tmp_path / "new"), empty_database, logged)
    assert not (tmp_path / "new").exists()
    assert len(StoredLog(empty_database).in_plain()) > 40
    (tmp_path / "api-key-pepper").write_text("a pepper that was here before")
    bring_up_to_date(settings_of(empty_database, tmp_path), empty_database, logged)
    assert (tmp_path / "encryption-key").exists()
    assert StoredLog(empty_database).in_plain() == set()


def test_nor_under_another_master_key_than_what_is_sealed_already(empty_database: str, tmp_path: Path) -> None:
    put_back_release(empty_database, 5)
    migrate(empty_database)
    ask(empty_database, "insert into master_key (fingerprint) values ('of another one') returning 1")
    with pytest.raises(CannotServe, match="another master key"):
        bring_up_to_date(settings_of(empty_database, tmp_path), empty_database, logged)
    assert len(StoredLog(empty_database).in_plain()) > 40


def test_what_a_restore_brings_back_is_sealed_too(
    empty_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restore_from(settings_of(empty_database, tmp_path), DATA / "schema-0005.backup", replace=False)
    assert "restored 62 events of 2 organisations" in capsys.readouterr().out
    assert StoredLog(empty_database).in_plain() == set()
