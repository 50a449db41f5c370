"""Tables can be proved right and built anew, and nobody notices."""

import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from service import Client, Service

from application.event_store.mapper import activity_key
from projections.filling import Filling, PartFailed
from projections.parking import parked, retry
from projections.read_models import READ_MODELS
from projections.rebuild import NoPrevious, Rebuild
from projections.verify import chosen, verify

ALL = tuple(READ_MODELS.values())


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    """Of this module alone: a rebuild is of every organisation."""
    with Service(module_database, workers=1) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with service.client() as client:
        client.record()
        for number in range(12):
            client.create(subject=f"Call number {number}", due_at="2025-01-01T00:00:00Z", follow_up_required=True)
        client.act(client.create(), "complete", outcome="Done", follow_up_date="2030-01-01")
        client.delete(client.create())
        client.rows()
        yield client


def drift(dsn: str, *names: str) -> dict[str, list[str]]:
    """What `verify` finds, by read model."""
    found: dict[str, list[str]] = {}
    for verdict in verify(dsn, chosen(names), lambda events: None):
        found.setdefault(verdict.read_model, []).extend(row.how for row in verdict.drift)
    return found


def change(dsn: str, statement: str, *values: object) -> None:
    with psycopg.connect(dsn) as connection:
        assert connection.execute(statement, values).rowcount == 1


def test_untouched_tables_are_what_the_log_says(client: Client) -> None:
    settle(client)
    assert drift(client.service.dsn) == {name: [] for name in READ_MODELS}


def test_every_kind_of_drift_is_found_and_a_rebuild_mends_it(client: Client) -> None:
    dsn, mine = client.service.dsn, client.organization
    one, two, three = (activity_key(row["id"]) for row in client.rows()[:3])
    change(dsn, "update activities.activity_list set subject = 'forged' where activity_id = %s", one)
    change(dsn, "delete from activities.activity_list where activity_id = %s", two)
    change(
        dsn,
        "insert into activities.overdue select organization_id, gen_random_uuid(), due_at, priority, assignee_key,"
        " related_key from activities.overdue where activity_id = %s",
        three,
    )

    found = drift(dsn, "activity_list", "overdue")
    assert sorted(found["activity_list"]) == ["different", "missing"]
    assert found["overdue"] == ["extra"]
    verdicts = [verdict for model in chosen(["activity_list"]) for verdict in Rebuild(dsn, model).run(quiet)]

    assert sorted(row.how for v in verdicts if v.organization_id == mine for row in v.drift) == ["different", "missing"]
    assert drift(dsn, "activity_list") == {"activity_list": []}
    Rebuild(dsn, READ_MODELS["overdue"]).run(quiet)
    assert drift(dsn, "overdue") == {"overdue": []}
    assert len(client.rows()) == 13


def test_several_tables_are_built_from_one_reading_of_the_log_shared_by_processes(client: Client) -> None:
    settle(client)
    told: list[int] = []
    verdicts = Rebuild(client.service.dsn, *ALL).run(told.append, processes=2)

    assert {verdict.read_model for verdict in verdicts} == set(READ_MODELS)
    assert [verdict for verdict in verdicts if verdict.drift or verdict.wrong_counts] == []
    assert sum(told) > 0
    assert multiprocessing.active_children() == []
    assert drift(client.service.dsn) == {name: [] for name in READ_MODELS}


def test_where_one_process_cannot_go_on_none_does(client: Client) -> None:
    away = Filling(client.service.dsn, ["activity_list"], client.organization, 100)  # into a shadow that is not there
    with pytest.raises(psycopg.errors.UndefinedTable):
        away.run(quiet, processes=2)
    assert multiprocessing.active_children() == []


def test_a_part_that_another_process_could_not_fold_fails_the_whole(client: Client) -> None:
    dsn = client.service.dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table activities.activity_list_shadow (like activities.activity_list)")
        connection.execute("grant all on activities.activity_list_shadow to activities_projector")
        connection.execute(
            "create function public.refuse() returns trigger language plpgsql as"
            " $$ begin raise exception 'this one not' using errcode = 'internal_error'; end $$"
        )
        connection.execute(
            "create trigger refuse before insert on activities.activity_list_shadow for each row"
            " when (get_byte(uuid_send(new.activity_id), 15) % 2 = 1) execute function public.refuse()"
        )
    with pytest.raises(PartFailed):
        Filling(dsn, ["activity_list"], client.organization, 100).run(quiet, processes=2)


def test_a_rebuilt_table_has_the_keys_and_indexes_of_the_one_it_replaces(client: Client) -> None:
    dsn = client.service.dsn
    for model in ALL:
        before = indexes(dsn, model.name)
        Rebuild(dsn, model).run(quiet)
        assert indexes(dsn, model.name) == before


def test_under_load_no_read_fails_or_goes_stale(client: Client) -> None:
    stop = threading.Event()

    def busy() -> None:
        with client.service.client(client.organization, user="u-2") as other:
            while not stop.is_set():
                call = other.create(due_at="2025-01-01T00:00:00Z")
                assert other.get(call)["version"] == 1
                newest = other.rows(per_page=5, sort_by="created_at", sort_direction="desc")
                assert call["id"] in {row["id"] for row in newest}
                other.rows("/activities/overdue")
                other.rows("/activities/search", q="offer")

    with ThreadPoolExecutor() as threads:
        working = [threads.submit(busy) for _ in range(2)]
        try:
            for model in ALL:
                Rebuild(client.service.dsn, model).run(quiet)
        finally:
            stop.set()
        for one in working:
            one.result()

    settle(client)
    assert drift(client.service.dsn) == {name: [] for name in READ_MODELS}


def test_a_roll_back_takes_the_previous_table_brought_up_to_date(client: Client) -> None:
    dsn = client.service.dsn
    model = READ_MODELS["follow_ups"]
    Rebuild(dsn, model).run(quiet)
    client.act(client.create(), "complete", outcome="Since then", follow_up_required=True)
    expected = client.rows("/activities/follow-ups")

    Rebuild(dsn, model).roll_back()

    assert client.rows("/activities/follow-ups") == expected
    assert drift(dsn, "follow_ups") == {"follow_ups": []}


def test_without_a_previous_table_there_is_nothing_to_roll_back_to(database: str) -> None:
    with pytest.raises(NoPrevious):
        Rebuild(database, READ_MODELS["overdue"]).roll_back()


def test_a_rebuild_that_was_killed_leaves_the_live_table_serving_and_can_be_run_again(client: Client) -> None:
    dsn = client.service.dsn
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from projections.rebuild import Rebuild; from projections.read_models import READ_MODELS\n"
        "Rebuild(sys.argv[1], READ_MODELS['activity_list']).run(lambda events: os.kill(os.getpid(), 9))\n"
    )
    root = str(Path(__file__).parents[2])
    killed = subprocess.run([sys.executable, "-c", script, dsn, root], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -9

    assert len(client.rows()) == 13
    Rebuild(dsn, READ_MODELS["activity_list"]).run(quiet)
    assert len(client.rows()) == 13


def test_a_parked_stream_is_projected_by_a_retry_once_it_can_be(client: Client) -> None:
    dsn = client.service.dsn
    call = client.rows()[0]
    key = activity_key(call["id"])
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "insert into activities.parked (organization_id, originator_id, position, topic, reason)"
            " values (%s, %s, 1, 'activity.created.v1', 'planted')",
            (client.organization, key),
        )
    client.patch(call, subject="While parked")
    settle(client)
    assert client.get(call)["subject"] != "While parked"

    waiting = [one for one in parked(dsn) if one.key == key]
    assert [one.reason for one in waiting] == ["planted"]
    assert retry(dsn, waiting[0])

    assert client.get(call)["subject"] == "While parked"
    assert [one for one in parked(dsn) if one.key == key] == []


def indexes(dsn: str, table: str) -> list[tuple[str, str]]:
    """What a table's constraints and indexes are, whatever they are called."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select coalesce(pg_get_constraintdef(c.oid), ''),"
            "       regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX .* USING', 'INDEX USING')"
            "  from pg_index i left join pg_constraint c on c.conindid = i.indexrelid"
            " where i.indrelid = to_regclass(%s) order by 1, 2",
            (f"activities.{table}",),
        ).fetchall()


def settle(client: Client) -> None:
    """Until the projector has caught up: a read waits for exactly that."""
    for path in ("/activities", "/activities/search?q=zz", "/activities/overdue", "/activities/follow-ups"):
        client.ok("GET", path)


def quiet(events: int) -> None:
    pass
