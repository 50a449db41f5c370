"""An analyst sees her own organisation, whatever she sets, asks or makes; and no more of the service than its views."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ordinary_owner import ordinary_owner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege, ObjectNotInPrerequisiteState, QueryCanceled, ReadOnlySqlTransaction

from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.create_activity import CreateActivity, create_activity
from application.analyst.administration import MOST_CONNECTIONS, grant_analyst, list_analysts, revoke_analyst
from application.analyst.ownership import CannotGrant
from application.command import Actor, Answer, Command, Handler, Order
from application.desk import Desk
from application.postgres.connections import Role, conninfo, writer_of
from application.postgres.embedded import EmbeddedPostgres
from application.postgres.migrations import ANALYST
from application.record.commands import PutRecord, put_record
from domain.activity.drafts import Completion, NewActivity
from domain.record.drafts import DRAFTS
from domain.vocabulary import RecordKind
from projections.catching_up import CatchingUp
from projections.folding import Folder
from projections.read_models import READ_MODELS

OURS, THEIRS = "acme", "bolt"
VIEWS = """
select relname from pg_class where relnamespace = 'analytics'::regnamespace and relkind = 'v' order by relname
"""


@pytest.fixture(scope="module")
def dsn(module_database: str) -> str:
    """Two organisations with something in every view; everything one of them ever said has its name in it."""
    for organization in (OURS, THEIRS):
        fill(module_database, organization)
    return module_database


@pytest.fixture(scope="module")
def login(dsn: str) -> Iterator[str]:
    """The connection string of an analyst of ours."""
    login = grant_analyst(dsn, OURS, "ann")
    fold(dsn, OURS)  # that it was granted is on record
    yield login
    for analyst in list_analysts(dsn, OURS):
        revoke_analyst(dsn, OURS, analyst.role)


@pytest.fixture
def analyst(login: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(login, autocommit=True) as connection:
        yield connection


def fill(dsn: str, organization: str) -> None:
    asyncio.run(_live(dsn, organization))
    fold(dsn, organization)


def fold(dsn: str, organization: str) -> None:
    catching_up = CatchingUp(READ_MODELS, Folder())
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR), autocommit=True) as connection:
        while catching_up.advance(connection, organization, epoch=1):
            pass


async def _live(dsn: str, organization: str) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    async with Desk(writer_of(dsn), lanes=1, clock=lambda: long_ago).opened() as desk:

        async def taken(command: type[Command], handler: Handler, **said: Any) -> None:
            actor = Actor(user_id=f"{organization}-user")
            made = command(organization_id=organization, actor=actor, **said)
            await desk.serve(Order(made, handler, lambda receipt: Answer(200, b"")))

        for kind in RecordKind:
            draft = DRAFTS[kind].model_validate({"name": f"{kind} of {organization}"})
            await taken(PutRecord, put_record, kind=kind, draft=draft, record_id=f"{organization}-{kind}")
        for done in (False, True):
            new = {
                "type": "call",
                "subject": f"Call of {organization}",
                "activityable_type": "lead",
                "activityable_id": f"{organization}-lead",
                "due_at": long_ago + timedelta(hours=1),
                "tags": [f"tag of {organization}"],
                "participants": [{"kind": "external", "name": f"guest of {organization}"}],
                "is_billable": True,
                "billable_rate": 60,
                "duration_minutes": 30,
            }
            command = CreateActivity(
                organization_id=organization,
                actor=Actor(user_id=f"{organization}-user"),
                new=NewActivity.model_validate(new),
            )
            await desk.serve(Order(command, create_activity, lambda receipt: Answer(200, b"")))
            if done:
                completion = Completion(follow_up_required=True)
                await taken(CompleteActivity, complete_activity, activity_id=command.activity_id, completion=completion)


def views(connection: psycopg.Connection[Any]) -> list[str]:
    return [name for (name,) in connection.execute(VIEWS)]


def everything(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Every row of every view, as text."""
    return {
        view: sorted(row for (row,) in connection.execute(f"select t::text from analytics.{view} t"))
        for view in views(connection)
        if view != "freshness"
    }


def owned(dsn: str, organization: str) -> dict[str, list[str]]:
    """The same, as the service itself reads it."""
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection:
        connection.execute("select begin_reading(%s, '{}')", (organization,))
        return everything(connection)


def test_an_analyst_sees_all_of_her_organisation(dsn: str, analyst: psycopg.Connection[Any]) -> None:
    seen = everything(analyst)

    assert seen == owned(dsn, OURS)
    assert all(seen.values())
    assert THEIRS not in str(seen)
    assert THEIRS in str(owned(dsn, THEIRS))
    assert analyst.execute("select min(position), max(head) from freshness").fetchall() == [(11, 11)]


@pytest.mark.parametrize(
    "attempt",
    [
        "set activities.organization_id = 'bolt'",
        "select set_config('activities.organization_id', 'bolt', false)",
        "set role activities_analyst",
        "set role none",
        "set search_path = activities, analytics, public",
        "set row_security = on",
        "set session_replication_role = default",
        "set analytics.organization_id = 'bolt'",
        "set local activities.organization_id = 'bolt'",
        "set timezone = 'Pacific/Auckland'",
        "set plan_cache_mode = force_generic_plan",
    ],
)
def test_nothing_an_analyst_can_set_shows_her_another_organisation(
    dsn: str, analyst: psycopg.Connection[Any], attempt: str
) -> None:
    expected = owned(dsn, OURS)
    with analyst.transaction():
        try:
            with analyst.transaction():
                analyst.execute(attempt)
        except InsufficientPrivilege:
            pass  # refused is as good
        seen = everything(analyst)
    assert THEIRS not in str(seen)
    assert {view: len(rows) for view, rows in seen.items()} == {view: len(rows) for view, rows in expected.items()}


@pytest.mark.parametrize(
    "statement",
    [
        "set role activities_reader",
        "set role activities_writer",
        "set role activities_projector",
        "set role postgres",
        "set session authorization postgres",
        "select * from activities.activity_list",
        "select * from activities.events",
        "select * from activities.heads",
        "select * from activities.analysts",
        "select * from activities.api_keys",
        "select * from activities.idempotency",
        "select activities.begin_reading('bolt', '{}')",
        "select activities.organization_of_analyst()",
        "select activities.search_count('bolt', 'call')",
        "select activities.append_events('bolt', now(), '{}', '{}', '{}', '{}', '{}')",
        "select * from pg_statistic",
        "select * from pg_authid",
        "select pg_read_file('postgresql.conf')",
        "copy (select 1) to program 'cat'",
        "set session_replication_role = replica",
    ],
)
def test_what_is_not_for_analysts_is_refused(analyst: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        analyst.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update analytics.activities set subject = 'x'",
        "delete from analytics.activity_changes",
        "insert into analytics.users (id, name) values ('x', 'x')",
        "create table analytics.mine (x int)",
        "create table public.mine (x int)",
        "create view analytics.mine as select 1",
        "create function analytics.mine() returns int language sql as 'select 1'",
        "create schema mine",
        "create role mine",
        "create extension dblink",
        "drop view analytics.activities",
        "alter view analytics.activities set (security_invoker = false)",
        "comment on view analytics.activities is 'mine'",
    ],
)
def test_an_analyst_writes_nothing_even_where_she_lifts_the_read_only_default(
    analyst: psycopg.Connection[Any], statement: str
) -> None:
    never = (InsufficientPrivilege, ObjectNotInPrerequisiteState)  # the latter: no view that could be written through
    with pytest.raises((ReadOnlySqlTransaction, *never)):
        analyst.execute(statement)
    analyst.execute("set default_transaction_read_only = off")
    with pytest.raises(never):
        analyst.execute(statement)


def test_with_row_security_off_there_is_an_error_and_no_row(analyst: psycopg.Connection[Any]) -> None:
    analyst.execute("set row_security = off")
    for view in views(analyst):
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            analyst.execute(f"select * from analytics.{view}")


def test_the_bounds_of_a_login_cannot_be_lifted_and_still_read(analyst: psycopg.Connection[Any]) -> None:
    assert analyst.execute("show statement_timeout").fetchone() == ("30s",)
    assert analyst.execute("show transaction_read_only").fetchone() == ("on",)
    read = "select count(*) from analytics.activities"
    for lifted in ("0", "31s", "1h"):
        analyst.execute(f"set statement_timeout = '{lifted}'")
        with pytest.raises(InsufficientPrivilege, match="30 seconds at most"):
            analyst.execute(read)
    analyst.execute("set statement_timeout = '250ms'")
    assert analyst.execute(read).fetchone() == (2,)
    with pytest.raises(QueryCanceled):
        analyst.execute("select count(*) from analytics.activities, generate_series(1, 1000000000)")
    analyst.execute("set statement_timeout = '30s'")
    with analyst.transaction(force_rollback=True):
        analyst.execute("set transaction read write")
        with pytest.raises(InsufficientPrivilege, match="read only"):
            analyst.execute(read)


def test_not_even_by_changing_the_defaults_of_her_own_role(dsn: str) -> None:
    login = grant_analyst(dsn, OURS, "ben")
    with psycopg.connect(login, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        lift = sql.SQL("alter role current_user in database {} set statement_timeout = 0")
        connection.execute(lift.format(sql.Identifier(connection.info.dbname)))
    with psycopg.connect(login) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("0",)
        with pytest.raises(InsufficientPrivilege, match="30 seconds at most"):
            connection.execute("select * from analytics.activities")


def test_a_function_of_her_own_is_shown_no_other_organisations_rows(analyst: psycopg.Connection[Any]) -> None:
    """One that says aloud what it is asked of, and costs so little that the planner asks it first."""
    overheard: list[str] = []
    analyst.add_notice_handler(lambda notice: overheard.append(notice.message_primary or ""))
    analyst.execute("set default_transaction_read_only = off")
    analyst.execute(
        "create function pg_temp.overhear(said text) returns boolean language plpgsql cost 0.0000001"
        " as $$ begin raise notice '%', said; return true; end $$"
    )
    analyst.execute("set default_transaction_read_only = on")
    for asked in (
        "select count(*) from analytics.activities where pg_temp.overhear(subject)",
        "select count(*) from analytics.activity_tags where pg_temp.overhear(tag)",
        "select count(*) from analytics.leads where pg_temp.overhear(name)",
        "select count(*) from analytics.activity_changes where pg_temp.overhear(assigned_user_id)",
    ):
        analyst.execute(asked)
    assert {f"Call of {OURS}", f"tag of {OURS}", f"lead of {OURS}", f"{OURS}-user"} <= set(overheard)
    assert THEIRS not in str(overheard)


def test_an_error_tells_nothing_of_another_organisations_rows(analyst: psycopg.Connection[Any]) -> None:
    cast = "select count(*) from analytics.activities where subject::int = 1"
    with pytest.raises(psycopg.errors.InvalidTextRepresentation) as told:
        analyst.execute(cast)
    assert OURS in str(told.value)
    assert THEIRS not in str(told.value)


def test_statistics_keep_their_samples_to_themselves(dsn: str, analyst: psycopg.Connection[Any]) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("analyze")
        samples = "select count(*) from pg_stats where schemaname = 'activities'"
        assert owner.execute(samples).fetchone() != (0,)
    assert analyst.execute(samples).fetchone() == (0,)
    assert analyst.execute("select count(*) from pg_stats_ext").fetchone() == (0,)
    others = "select count(*) from pg_stat_activity where usename <> current_user"
    hidden = "query <> '' and query <> '<insufficient privilege>'"
    assert analyst.execute(f"{others} and {hidden}").fetchone() == (0,)


def test_no_table_an_analyst_may_read_believes_a_variable_alone(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        open_tables = connection.execute(
            """
            select c.oid::regclass::text
              from pg_class c
             where c.relkind in ('r', 'p') and c.relnamespace = 'activities'::regnamespace
               and has_any_column_privilege(%(analyst)s, c.oid, 'select')
               and not exists (select from pg_policy p
                                where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*'
                                  and p.polroles = array[to_regrole(%(analyst)s)::oid])
            """,
            {"analyst": ANALYST},
        )
        assert open_tables.fetchall() == []
        writable = connection.execute(
            "select c.oid::regclass from pg_class c where c.relkind in ('r', 'p', 'v') and c.relnamespace in"
            " ('activities'::regnamespace, 'analytics'::regnamespace)"
            " and has_table_privilege(%s, c.oid, 'insert, update, delete, truncate, references, trigger')",
            (ANALYST,),
        )
        assert writable.fetchall() == []
        for schema, privilege in (("activities", "usage"), ("analytics", "create")):
            allowed = connection.execute("select has_schema_privilege(%s, %s, %s)", (ANALYST, schema, privilege))
            assert allowed.fetchone() == (False,)


def test_the_questions_of_the_readme_are_answered(analyst: psycopg.Connection[Any]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```sql\n(.*?)```", readme, re.DOTALL)
    questions = [question for question in block.split(";") if question.strip()]
    assert len(questions) == 3
    for question in questions:
        assert analyst.execute(question).fetchall(), question


def test_a_login_takes_few_connections(login: str) -> None:
    held = [psycopg.connect(login) for _ in range(MOST_CONNECTIONS)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(login)
    finally:
        for connection in held:
            connection.close()


def test_the_password_is_kept_as_its_hash_and_is_the_one_told(dsn: str, login: str) -> None:
    said = conninfo_to_dict(login)
    with psycopg.connect(dsn) as owner:
        [(kept,)] = owner.execute("select rolpassword from pg_authid where rolname = %s", (said["user"],))
    assert kept.startswith("SCRAM-SHA-256$")
    assert len(str(said["password"])) >= 32
    assert str(said["password"]) not in kept


def test_a_day_is_in_the_time_zone_the_login_was_granted(dsn: str) -> None:
    login = grant_analyst(dsn, OURS, "cara", time_zone="Pacific/Auckland")
    with psycopg.connect(login) as connection:
        assert connection.execute("show analytics.time_zone").fetchone() == ("Pacific/Auckland",)
        assert connection.execute("select sum(created)::int from analytics.daily_facts_known").fetchone() == (2,)


def test_a_revoked_login_is_sent_away_and_cannot_come_back(dsn: str) -> None:
    login = grant_analyst(dsn, THEIRS, "dora")
    [granted] = list_analysts(dsn, THEIRS)
    assert (granted.name, granted.role) == ("dora", conninfo_to_dict(login)["user"])
    with psycopg.connect(login, autocommit=True) as connection:
        assert connection.execute("select count(*) from analytics.activities").fetchone() == (2,)
        assert not revoke_analyst(dsn, OURS, granted.role)
        assert revoke_analyst(dsn, THEIRS, granted.role)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(login)
    assert list_analysts(dsn, THEIRS) == []


def test_a_login_in_no_organisations_book_sees_nothing(dsn: str) -> None:
    """As one does whose database was restored from before it was granted."""
    login = grant_analyst(dsn, OURS, "eve")
    with psycopg.connect(dsn) as owner:
        owner.execute("delete from activities.analysts where name = 'eve'")
    with psycopg.connect(login, autocommit=True) as connection:
        connection.execute("set activities.organization_id = 'acme'")
        assert [rows for rows in everything(connection).values() if rows] == []
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(sql.SQL("drop role {}").format(sql.Identifier(str(conninfo_to_dict(login)["user"]))))


@pytest.mark.parametrize(
    ("organization", "name", "time_zone", "wrong"),
    [
        ("acme", "", None, "name"),
        ("acme", "Ann", None, "name"),
        ("acme", 'x"; drop role postgres', None, "name"),
        ("acme", "a" * 33, None, "name"),
        ("", "ann", None, "organization"),
        ("acme", "ann", "Nowhere/Land", "time zone"),
    ],
)
def test_what_cannot_be_is_named(dsn: str, organization: str, name: str, time_zone: str | None, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^{wrong}: must"):
        grant_analyst(dsn, organization, name, time_zone=time_zone)


def test_an_owner_who_is_no_superuser_may_grant_too(server: EmbeddedPostgres, template: str) -> None:
    with ordinary_owner(server, may_create_roles=True) as dsn:
        fill(dsn, OURS)
        fill(dsn, THEIRS)
        login = grant_analyst(dsn, OURS, "fay")
        with psycopg.connect(login, autocommit=True) as connection:
            connection.execute("set activities.organization_id = 'bolt'")
            seen = everything(connection)
            assert all(seen.values())
            assert THEIRS not in str(seen)
            [granted] = list_analysts(dsn, OURS)
            assert revoke_analyst(dsn, OURS, granted.role)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        fill(dsn, OURS)  # the service goes on working for the owner


def test_an_owner_who_may_not_is_told_what_is_missing(server: EmbeddedPostgres, template: str) -> None:
    with (
        ordinary_owner(server, may_create_roles=False) as dsn,
        pytest.raises(CannotGrant, match=r"ALTER ROLE ordinary_\w+ CREATEROLE"),
    ):
        grant_analyst(dsn, OURS, "gil")
