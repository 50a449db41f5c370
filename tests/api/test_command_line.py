"""The command line: what it prints, what it brings in and writes out, and with which code it ends."""

import csv
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from service import Client, Service

from application.event_store.mapper import activity_key

Json = dict[str, Any]
A_LINE: Json = {
    "external_id": "x-1",
    "type": "call",
    "subject": "Brought along",
    "activityable_type": "customer",
    "activityable_id": "c-1",
}


def write(path: Path, *lines: Json | str) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_a_token_is_printed_alone_and_works(run: Any, service: Service) -> None:
    done = run("token", "--organization", "acme", "--user", "u-9", "--scope", "activities:read")

    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    with service.client() as client:
        headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
        assert client.http.get("/activities", headers=headers).status_code == 200
        assert client.http.post("/activities", json={}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "--organization", "acme", "--user", "u", "--scope", "everything"),
        ("token", "--organization", "acme"),
        ("token", "--organization", "", "--user", "u"),
        ("token", "--organization", "acme", "--user", "u", "--ttl", "0"),
        ("verify", "nonsense"),
        ("api-key", "revoke", "nonsense"),
        ("export", "--organization", "acme", "--output", "/nowhere/out.csv"),
    ],
)
def test_nonsense_is_refused_with_code_2_and_nothing_on_stdout(run: Any, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Error" in done.stderr


def test_an_import_makes_then_changes_then_leaves_alone(run: Any, client: Client, tmp_path: Path) -> None:
    file = write(tmp_path / "calls.ndjson", A_LINE, {**A_LINE, "external_id": "x-2", "status": "completed"})
    first = run("import", file, "--organization", client.organization)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "2 created, 0 updated, 0 as they were, 0 refused\n"

    again = run("import", file, "--organization", client.organization)
    assert again.stdout == "0 created, 0 updated, 2 as they were, 0 refused\n"

    write(file, {**A_LINE, "subject": "Corrected"}, {**A_LINE, "external_id": "x-2", "status": "completed"})
    changed = run("import", file, "--organization", client.organization)
    assert changed.stdout == "0 created, 1 updated, 1 as they were, 0 refused\n"
    rows = {row["external_id"]: row for row in client.rows()}
    assert rows["x-1"]["subject"] == "Corrected"
    assert rows["x-2"]["status"] == "completed"
    history = client.ok("GET", f"/activities/{rows['x-1']['id']}/history")["data"]
    assert [chapter["client"] for chapter in history] == ["import", "import"]


def test_refused_lines_are_told_and_the_others_are_taken(run: Any, client: Client, tmp_path: Path) -> None:
    file = write(
        tmp_path / "calls.ndjson",
        {**A_LINE, "type": "nonsense"},
        "{",
        {**A_LINE, "external_id": None},
        {**A_LINE, "activityable_id": "unknown"},
        A_LINE,
    )
    done = run("import", file, "--organization", client.organization)

    assert done.returncode == 1
    assert done.stdout == "1 created, 0 updated, 0 as they were, 4 refused\n"
    refused = [json.loads(line) for line in (tmp_path / "calls.ndjson.refused").read_text().splitlines()]
    assert sorted(line["line"] for line in refused) == [1, 2, 3, 4]
    errors = {line["line"]: line["errors"] for line in refused}
    assert list(errors[1]) == ["type"]
    assert list(errors[3]) == ["external_id"]
    assert list(errors[4]) == ["activityable_id"]


def test_what_is_exported_as_csv_can_be_imported_and_opened(run: Any, client: Client, tmp_path: Path) -> None:
    dangerous = "=HYPERLINK(1)"
    client.create(subject=dangerous, tags=["a", "b"], custom_fields={"x": 1}, duration_minutes=30)
    out = tmp_path / "out.csv"

    done = run("export", "--organization", client.organization, "--format", "csv", "--output", out)

    assert done.returncode == 0, done.stderr
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["subject"] == f"'{dangerous}"
    assert (row["tags"], row["custom_fields"], row["duration_minutes"]) == ("a;b", '{"x": 1}', "30")
    columns = ["external_id", "type", "subject", "activityable_type", "activityable_id", "tags", "duration_minutes"]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerow({**row, "external_id": "y-1"})
    assert run("import", tmp_path / "in.csv", "--organization", client.organization).returncode == 0
    brought = next(found for found in client.rows() if found["external_id"] == "y-1")
    assert (brought["tags"], brought["duration_minutes"]) == (["a", "b"], 30)


def test_an_export_says_every_activity_once_and_no_deleted_one(run: Any, client: Client) -> None:
    made = [client.create(subject=f"Call {number}") for number in range(5)]
    client.delete(made[0])

    done = run("export", "--organization", client.organization)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["id"] for line in told) == sorted(activity["id"] for activity in made[1:])


def test_verify_ends_with_0_where_nothing_drifts(run: Any, client: Client) -> None:
    client.create()
    client.rows("/activities/overdue")
    done = run("verify", "overdue", "directory")
    assert done.returncode == 0, done.stdout
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["overdue", "directory"]


def test_a_parked_stream_is_shown_with_what_waits_behind_it_and_nothing_of_what_was_said(
    run: Any, client: Client
) -> None:
    call = client.create(subject="Very private", assigned_user_id="u-1")
    first = client.recorded()
    client.patch(call, description="Very private, too")
    place = (client.organization, activity_key(call["id"]))
    with psycopg.connect(client.service.dsn, autocommit=True) as connection:
        connection.execute(
            "insert into activities.parked (organization_id, originator_id, position, topic, reason)"
            " values (%s, %s, %s, 'activity.created.v1', 'ValidationError: cannot be folded')",
            (*place, first),
        )
        try:
            done = run("parked", "show", call["id"].lower())
        finally:
            connection.execute("delete from activities.parked where organization_id = %s and originator_id = %s", place)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"organisation  {client.organization}" in lines
    assert "waiting       2 events, in this order:" in lines
    queued = [line.split() for line in lines if "  version " in line]
    assert [(int(line[0]), line[3]) for line in queued] == [
        (first, "activity.created.v1"),
        (first + 1, "activity.updated.v1"),
    ]
    assert "parked retry" in done.stdout
    assert "rivate" not in done.stdout
    assert "u-1" not in done.stdout
    assert run("parked", "show", call["id"]).returncode == 2


def test_a_demo_is_loaded_once(run: Any, service: Service) -> None:
    first = run("demo", "--organization", "sample-of-tests")
    assert first.returncode == 0, first.stderr
    assert "export TOKEN=" in first.stdout
    assert "curl" in first.stdout
    with service.client("sample-of-tests") as client:
        assert client.ok("GET", "/activities")["meta"]["total"] == 2000
        before = client.recorded()
        assert run("demo", "--organization", "sample-of-tests").returncode == 0
        assert client.recorded() == before


def test_a_login_for_analysts_is_granted_told_once_listed_and_revoked(run: Any, client: Client) -> None:
    client.create()
    client.rows()
    mine = ("--organization", client.organization)
    granted = run("analytics", "grant", *mine, "--name", "ann", "--time-zone", "Europe/Vienna")
    assert granted.returncode == 0, granted.stderr
    assert granted.stdout.count("\n") == 1
    read = "select (select count(*) from activities), current_setting('analytics.time_zone')"
    with psycopg.connect(granted.stdout.strip()) as connection:
        assert connection.execute(read).fetchone() == (1, "Europe/Vienna")

    listed = run("analytics", "list", *mine)
    role = listed.stdout.split()[0]
    assert role.startswith("analyst_ann_")
    password = conninfo_to_dict(granted.stdout.strip())["password"]
    assert str(password) not in listed.stdout
    assert run("analytics", "revoke", role, "--organization", "another").returncode == 2
    assert run("analytics", "revoke", role, *mine).returncode == 0
    assert run("analytics", "list", *mine).stdout == ""
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(granted.stdout.strip())
    assert run("analytics", "grant", *mine, "--name", "Not A Name").returncode == 2


def test_the_data_dictionary_is_printed_or_written(run: Any, tmp_path: Path) -> None:
    printed = run("analytics", "dictionary")
    assert printed.stdout.startswith("# Data dictionary")
    assert run("analytics", "dictionary", "--output", tmp_path / "d.md").returncode == 0
    assert (tmp_path / "d.md").read_text(encoding="utf-8") == printed.stdout
