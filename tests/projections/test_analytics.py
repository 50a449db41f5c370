"""What analysts read says what it means, is true, and stays so while tables are rebuilt beneath it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service import Client, Service, eventually

from application.event_store.mapper import activity_key
from application.postgres.connections import Role, conninfo
from projections.analytics.dictionary import dictionary
from projections.read_models import READ_MODELS
from projections.rebuild import Rebuild

DICTIONARY = Path(__file__).parents[2] / "projections" / "analytics" / "DICTIONARY.md"
NO_COMMENT = """
select c.relname from pg_class c
 where c.relnamespace = 'analytics'::regnamespace and c.relkind <> 'i' and obj_description(c.oid, 'pg_class') is null
union all
select c.relname || '.' || a.attname
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relnamespace = 'analytics'::regnamespace and c.relkind <> 'i'
   and col_description(c.oid, a.attnum) is null
"""


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    """Of this module alone: a rebuild is of every organisation."""
    with Service(module_database, workers=1) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with service.client() as client:
        client.record()
        yield client


def ask(client: Client, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """As an export asks: confined to the organisation by the reader's own means, once everything recorded is there."""
    settle(client)
    with psycopg.connect(conninfo(client.service.dsn, Role.READER)) as connection:
        connection.execute("select begin_reading(%s, '{}')", (client.organization,))
        return connection.execute(sql, parameters).fetchall()


def settle(client: Client) -> None:
    behind = (
        "select count(*) from activities.heads h, unnest(%s::text[]) m(name) where h.organization_id = %s"
        " and h.position > coalesce((select c.position from activities.cursors c"
        " where c.organization_id = h.organization_id and c.read_model = m.name), 0)"
    )
    with psycopg.connect(client.service.dsn, autocommit=True) as connection:
        parameters = (list(READ_MODELS), client.organization)
        eventually(lambda: connection.execute(behind, parameters).fetchone() == (0,), 30, "the tables are at the head")


def test_everything_analysts_read_has_a_comment(module_database: str) -> None:
    with psycopg.connect(module_database) as connection:
        assert connection.execute(NO_COMMENT).fetchall() == []


def test_what_has_no_comment_is_noticed(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create view analytics.silent as select 1 as column")
        connection.execute("comment on column analytics.users.name is null")
        assert sorted(connection.execute(NO_COMMENT)) == [("silent",), ("silent.column",), ("users.name",)]


def test_the_dictionary_is_what_the_catalogue_says(module_database: str) -> None:
    """Where it is not: activities analytics dictionary --output projections/analytics/DICTIONARY.md"""
    assert DICTIONARY.read_text(encoding="utf-8") == dictionary(module_database)


def test_no_column_names_an_organization(module_database: str) -> None:
    """There is but one to be seen; asking for another by name would have the planner tell how big it is."""
    with psycopg.connect(module_database) as connection:
        named = "select * from information_schema.columns where table_schema = 'analytics' and column_name ~ 'organi'"
        assert connection.execute(named).fetchall() == []


def test_an_activity_is_told_in_rows(client: Client) -> None:
    people = [{"kind": "external", "name": "Guest", "email": "guest@example.com", "attended": True}, "u-1"]
    call = client.create(
        tags=["b", "a"],
        participants=people,
        priority="high",
        due_at="2025-01-01T00:00:00Z",
        duration_minutes=30,
        custom_fields={"x": 1},
    )
    deleted = client.delete(client.create())
    key = activity_key(call["id"])

    seen = ask(client, "select activity_id, id, priority, priority_rank, is_overdue, tags from analytics.activities")
    assert seen == [(key, call["id"], "high", 3, True, ["b", "a"])]
    details = ask(client, "select id, custom_fields, attachment_urls, outcome from analytics.activity_details")
    assert details == [(call["id"], {"x": 1}, [], None)]
    assert ask(client, "select activity_id, tag, place from analytics.activity_tags order by place") == [
        (key, "b", 1),
        (key, "a", 2),
    ]
    assert ask(
        client, "select place, kind, id, name, attended from analytics.activity_participants order by place"
    ) == [
        (1, "external", None, "Guest", True),
        (2, "user", "u-1", None, None),
    ]
    [(late, days)] = ask(client, "select activity_id, days_overdue from analytics.overdue_now")
    assert (late, days > 300) == (key, True)
    changes = ask(client, "select change from analytics.activity_changes where activity_id = %s", key)
    assert changes == [("created",)]
    assert ask(
        client,
        "select change from analytics.activity_changes where activity_id = %s order by version",
        activity_key(deleted["id"]),
    ) == [("created",), ("deleted",)]


def test_a_promise_is_open_until_it_is_kept(client: Client) -> None:
    call = client.act(client.create(), "complete", outcome="Done", follow_up_date="2030-01-01")
    state = "select id, due_on::text, state, satisfied_by from analytics.follow_ups"
    assert ask(client, state) == [(call["id"], "2030-01-01", "open", None)]

    kept = client.create()
    assert ask(client, state) == [(call["id"], "2030-01-01", "satisfied", activity_key(kept["id"]))]


def test_records_are_told_kind_by_kind(client: Client) -> None:
    client.record("opportunities", "o-1", value=1200.5, stage="proposal", probability=40, need_confirmed=True)
    client.record("users", "u-9", email="u-9@example.com", time_zone="Europe/Vienna")
    client.record("customers", "c-9", status="at_risk", tags=["x", "y"], attributes={"size": 3})

    told = ask(client, "select id, value, stage, probability, need_confirmed, tags from analytics.opportunities")
    assert told == [("o-1", Decimal("1200.50"), "proposal", Decimal("40.00"), True, None)]
    assert ask(client, "select id, email, time_zone from analytics.users") == [
        ("u-9", "u-9@example.com", "Europe/Vienna")
    ]
    assert ask(client, "select status, tags, attributes from analytics.customers where id = 'c-9'") == [
        ("at_risk", ["x", "y"], {"size": 3})
    ]
    assert ask(client, "select id from analytics.leads") == []


def test_freshness_is_of_every_read_model_and_counts_what_is_not_there_yet(client: Client) -> None:
    client.create()
    fresh = ask(client, "select read_model, behind, age_seconds, position = head from analytics.freshness")
    assert sorted(fresh) == sorted((name, 0, 0.0, True) for name in READ_MODELS)

    client.patch(client.create(), subject="Two more facts")
    settle(client)
    with psycopg.connect(client.service.dsn) as connection:  # as if the directory had not heard of them
        connection.execute(
            "update activities.cursors set position = position - 2"
            " where organization_id = %s and read_model = 'directory'",
            (client.organization,),
        )
        connection.execute("set local role activities_reader")
        connection.execute("select set_config('activities.organization_id', %s, true)", (client.organization,))
        [(behind, age)] = connection.execute(
            "select behind, age_seconds from analytics.freshness where read_model = 'directory'"
        )
        connection.rollback()
    assert behind == 2
    assert 0 < age < 60


def test_after_a_rebuild_and_its_roll_back_analysts_read_the_live_table(client: Client) -> None:
    dsn = client.service.dsn
    views = "activities", "overdue_now", "follow_ups", "customers", "activity_changes"
    count = " union all ".join(f"select '{view}', count(*) from analytics.{view}" for view in views)
    client.act(client.create(), "complete", outcome="x", follow_up_required=True)
    client.create(due_at="2025-01-01T00:00:00Z")
    before = guards(dsn)

    for undo in (False, True):
        if undo:  # as a table from before analysts were let in
            with psycopg.connect(dsn) as connection:
                connection.execute("drop policy analysts_are_confined on activities.activity_list_previous")
        for model in READ_MODELS.values():
            if undo:
                Rebuild(dsn, model).roll_back()
            else:
                Rebuild(dsn, model).run(lambda events: None)
        client.create(due_at="2025-01-01T00:00:00Z")
        told = dict(ask(client, count))
        assert told["activities"] == (4 if undo else 3)
        assert told["overdue_now"] == (3 if undo else 2)
        assert told["activity_changes"] == (5 if undo else 4)
        assert guards(dsn) == before
        with psycopg.connect(dsn) as connection:
            assert connection.execute(NO_COMMENT).fetchall() == []


def guards(dsn: str) -> list[Any]:
    """Who may see what of the read tables, by their names."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """
            select relname, relrowsecurity, relforcerowsecurity,
                   (select array_agg(a::text order by a::text) from unnest(relacl) a),
                   (select array_agg(to_json(p)::text order by policyname)
                      from pg_policies p where schemaname = 'activities' and tablename = relname)
              from pg_class
             where relnamespace = 'activities'::regnamespace and relname = any(%s)
             order by relname
            """,
            (list(READ_MODELS),),
        ).fetchall()
