"""Those who audit are audited too: exports, replays, rebuilds and roll-backs stand in the log they were made of."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service import SECRET, Client, Service

from api.serving.errors import CannotServe
from application.analyst.administration import grant_analyst, list_analysts, revoke_analyst
from application.command import Actor
from application.oversight.on_record import export_of, on_record
from application.refusals import Unavailable
from projections.read_models import READ_MODELS
from projections.verify import chosen, verify

ACTIVITIES = Path(sys.executable).parent / "activities"
ME = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    """Of this module alone: a rebuild is on record in every organisation."""
    with Service(module_database, workers=1) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with service.client() as client:
        client.record()
        client.create(subject="Zanzibar")
        yield client


def run(client: Client, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "ACTIVITIES_DATABASE_URL": client.service.dsn, "ACTIVITIES_JWT_SECRET": SECRET}
    return subprocess.run([ACTIVITIES, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)


def overseen(client: Client) -> list[tuple[str, dict[str, Any]]]:
    """What is on record of work upon the log, without when and which."""
    return [
        (name, {field: value for field, value in said.items() if field not in ("at", "id")})
        for name, said in client.log()
        if name.startswith(("audit.", "read_table.", "analyst."))
    ]


def actors(client: Client) -> set[tuple[str, str]]:
    with psycopg.connect(client.service.dsn) as connection:
        return set(
            connection.execute(
                "select metadata ->> 'actor', metadata ->> 'client' from activities.events"
                " where organization_id = %s and topic ~ '^(audit|read_table|analyst)'",
                (client.organization,),
            ).fetchall()
        )


def test_an_export_is_on_record_with_who_made_it_and_how_much_it_was(client: Client) -> None:
    assert run(client, "export", "--organization", client.organization, "--format", "csv").returncode == 0
    assert overseen(client) == [
        ("audit.export_begun.v1", {"what": ["activities"], "format": "csv"}),
        ("audit.exported.v1", {"rows": 1}),
    ]
    assert actors(client) == {(ME, "command-line")}


def test_who_is_let_in_to_read_and_who_no_longer_is_on_record(client: Client) -> None:
    assert run(client, "analytics", "grant", "--organization", client.organization, "--name", "ann").returncode == 0
    [analyst] = list_analysts(client.service.dsn, client.organization)
    revoke = ("analytics", "revoke", analyst.role, "--organization", client.organization)
    assert [run(client, *revoke).returncode for _ in range(2)] == [0, 2]
    assert overseen(client) == [
        ("analyst.grant_begun.v1", {"what": [analyst.role]}),
        ("analyst.granted.v1", {}),
        ("analyst.revocation_begun.v1", {"what": [analyst.role]}),
        ("analyst.revoked.v1", {}),
    ]
    assert actors(client) == {(ME, "command-line")}


def test_an_analyst_who_could_not_be_let_in_stays_on_record_as_begun(client: Client) -> None:
    with psycopg.connect(client.service.dsn, autocommit=True) as connection:
        connection.execute("alter table activities.analysts rename to no_analysts")
        try:
            with pytest.raises(psycopg.errors.UndefinedTable):
                grant_analyst(client.service.dsn, client.organization, "bob")
        finally:
            connection.execute("alter table activities.no_analysts rename to analysts")
    begun, failed = overseen(client)
    assert begun[0] == "analyst.grant_begun.v1"
    assert failed == ("audit.failed.v1", {"reason": "UndefinedTable"})
    assert list_analysts(client.service.dsn, client.organization) == []


def test_what_is_refused_from_the_start_is_not_on_record(client: Client) -> None:
    for name, organization in (("Ann!", client.organization), ("ann", "")):
        with pytest.raises(ValueError, match="must have 1 to"):
            grant_analyst(client.service.dsn, organization, name)
    assert not revoke_analyst(client.service.dsn, client.organization, "analyst_nobody_00000000")
    assert overseen(client) == []


def test_both_facts_of_a_piece_of_work_are_of_one_stream(client: Client) -> None:
    run(client, "export", "--organization", client.organization)
    [work] = [state for state in client.states().values() if getattr(state, "began", None)]
    assert (work.version, work.began, work.reason) == (2, "audit.export_begun.v1", None)
    assert work.begun_at <= work.ended_at


def test_an_export_that_fails_stays_on_record_as_begun_and_says_what_kind_of_failure(client: Client) -> None:
    with pytest.raises(CannotServe), on_record(client.service.dsn, [client.organization], export_of("x", format="y")):
        raise CannotServe("somebody's personal data")
    assert overseen(client) == [
        ("audit.export_begun.v1", {"what": ["x"], "format": "y"}),
        ("audit.failed.v1", {"reason": "CannotServe"}),
    ]


def test_an_export_that_is_killed_stays_on_record_as_begun(client: Client) -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[3])\n"
        "from application.oversight.on_record import export_of, on_record\n"
        "with on_record(sys.argv[1], [sys.argv[2]], export_of('activities', format='csv')): os.kill(os.getpid(), 9)\n"
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", script, client.service.dsn, client.organization, root]
    killed = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [name for name, _ in overseen(client)] == ["audit.export_begun.v1"]


def test_what_cannot_be_put_on_record_is_not_begun() -> None:
    with pytest.raises(Unavailable), on_record("host=127.0.0.1 port=1", ["acme"], export_of("x", format="y")):
        pytest.fail("entered without a record")


def test_others_than_the_operator_may_be_on_record(client: Client) -> None:
    auditor = Actor(user_id="u-9", client="feed")
    with on_record(client.service.dsn, [client.organization], export_of("audit", format="bundle"), actor=auditor):
        pass
    assert actors(client) == {("u-9", "feed")}


def test_what_has_no_log_is_not_exported_into_being(client: Client) -> None:
    done = run(client, "export", "--organization", "never-heard-of")
    assert (done.returncode, done.stdout) == (0, "")
    with psycopg.connect(client.service.dsn) as connection:
        assert connection.execute("select from activities.heads where organization_id = 'never-heard-of'").rowcount == 0


def test_verifying_is_a_replay_and_says_how_many_rows_of_the_organisation_were_wrong(client: Client) -> None:
    with client.service.client() as other:
        other.record()
        other.create()
        other.rows()
        client.rows()
        with psycopg.connect(client.service.dsn) as connection:
            connection.execute(
                "update activities.activity_list set subject = 'forged' where organization_id = %s",
                (client.organization,),
            )
        assert run(client, "verify", "activity_list").returncode == 1
        assert run(client, "rebuild", "activity_list").returncode == 0
        assert overseen(client) == [
            ("audit.replay_begun.v1", {"what": ["activity_list"]}),
            ("audit.replayed.v1", {"drift": 1}),
            ("read_table.rebuild_begun.v1", {"what": ["activity_list"]}),
            ("read_table.rebuilt.v1", {"drift": 1}),
        ]
        assert [said for _, said in overseen(other)][1::2] == [{"drift": 0}, {"drift": 0}]


def test_a_roll_back_is_on_record_and_one_that_cannot_be_too(client: Client) -> None:
    assert run(client, "rebuild", "overdue").returncode == 0
    assert run(client, "rebuild", "overdue", "--rollback").returncode == 0
    assert run(client, "rebuild", "follow_ups", "--rollback").returncode == 1
    assert overseen(client)[2:] == [
        ("read_table.roll_back_begun.v1", {"what": ["overdue"]}),
        ("read_table.rolled_back.v1", {}),
        ("read_table.roll_back_begun.v1", {"what": ["follow_ups"]}),
        ("audit.failed.v1", {"reason": "NoPrevious"}),
    ]


def test_tables_that_do_not_care_pass_over_it_and_stay_what_the_log_says(client: Client) -> None:
    run(client, "export", "--organization", client.organization)
    for path in ("/activities", "/activities/search?q=zanzibar", "/activities/overdue", "/activities/follow-ups"):
        client.ok("GET", path)
    assert client.table("parked") == []
    mine = [
        v for v in verify(client.service.dsn, chosen([]), lambda _: None) if v.organization_id == client.organization
    ]
    assert {verdict.read_model: verdict.drift for verdict in mine} == {name: [] for name in READ_MODELS}


def test_an_export_needs_no_projector_for_its_own_record(client: Client) -> None:
    client.rows()
    with psycopg.connect(client.service.dsn) as connection:  # holds the projector up, as if it were away
        connection.execute(
            "select from activities.cursors where organization_id = %s for update", (client.organization,)
        )
        for _ in range(2):
            done = run(client, "export", "--organization", client.organization)
            assert done.stdout.count("\n") == 1
