"""Any view or read table as NDJSON and CSV: what is read back is what the database says, and no cell is a formula."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from service import Client, Service

from api.commands.exportable import UnknownTable
from api.commands.exporting_rows import export_rows
from application.postgres.connections import Role, conninfo
from projections.read_models import READ_MODELS

Run = Callable[..., Any]
Json = dict[str, Any]


@pytest.fixture
def filled(client: Client) -> Client:
    """Something in every view."""
    client.record("leads", "l-1", name="=1+1")
    client.record("contacts", "ct-1", email="ct@example.com")
    client.record("accounts", "a-1")
    client.record("users", "u-9")
    client.record("opportunities", "o-1", value=1200.5, expected_close_date="2030-01-31", attributes={"x": [1]})
    billable = {"is_billable": True, "billable_rate": 90.5, "currency": "EUR", "duration_minutes": 40}
    call = client.create(**billable, due_at="2025-01-01T00:00:00Z", tags=["a", "b"], participants=["u-1"])
    client.act(call, "complete", follow_up_date="2031-01-07")
    client.create(due_at="2025-01-01T00:00:00.25Z", subject='Two\nlines, "quoted"')
    return client


def names(service: Service) -> list[str]:
    with psycopg.connect(service.dsn) as connection:
        views = connection.execute(
            "select 'analytics.' || relname from pg_class"
            " where relnamespace = 'analytics'::regnamespace and relkind = 'v' order by 1"
        ).fetchall()
    return [name for (name,) in views] + [f"activities.{name}" for name in READ_MODELS]


def told(client: Client, of: str) -> list[Json]:
    """The same rows from the database, as the service may read them."""
    with psycopg.connect(conninfo(client.service.dsn, Role.READER)) as connection:
        connection.execute("select begin_reading(%s, '{}')", (client.organization,))
        return [row for (row,) in connection.execute(f"select to_json(said) from {of} as said")]


def written(client: Client, of: str, format: str) -> tuple[int, str]:
    out = io.StringIO(newline="")
    return export_rows(client.service.dsn, client.organization, of, format, out), out.getvalue()


def in_order(rows: list[Json]) -> list[str]:
    return sorted(json.dumps(row) for row in rows)


def test_every_view_and_read_table_is_read_back_as_it_is(filled: Client) -> None:
    for of in names(filled.service):
        count, text = written(filled, of, "ndjson")
        back, rows = [json.loads(line) for line in text.splitlines()], told(filled, of)
        assert count == len(rows) > 0, of
        assert [list(row) for row in back] == [list(row) for row in rows], of
        if of != "analytics.freshness":  # which the export's own record moves on
            assert in_order(back) == in_order(rows), of


def test_every_one_of_them_has_a_cell_for_each_column(filled: Client) -> None:
    for of in names(filled.service):
        count, text = written(filled, of, "csv")
        rows = told(filled, of)
        heading, *cells = csv.reader(io.StringIO(text, newline=""))
        assert heading == list(rows[0]), of
        assert count == len(cells) == len(rows), of
        assert {len(line) for line in cells} == {len(heading)}, of


def test_a_cell_says_what_the_column_says_and_is_no_formula(filled: Client) -> None:
    _, text = written(filled, "analytics.activities", "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    done = next(row for row in rows if row["status"] == "completed")
    assert done["tags"] == "a;b"
    assert done["is_billable"] == "true"
    assert Decimal(done["billable_amount"]) == Decimal("60.33")
    assert done["due_at"] == "2025-01-01T00:00:00+00:00"
    assert any(row["subject"] == 'Two\nlines, "quoted"' for row in rows)
    _, text = written(filled, "leads", "csv")
    [lead] = csv.DictReader(io.StringIO(text, newline=""))
    assert lead["name"] == "'=1+1"


def test_of_an_organisation_with_nothing_there_is_a_heading_alone(client: Client) -> None:
    assert written(client, "leads", "ndjson") == (0, "")
    count, text = written(client, "leads", "csv")
    assert (count, text.count("\n")) == (0, 1)
    assert text.startswith("id,name,")


def test_what_was_exported_and_how_much_is_on_record(client: Client) -> None:
    client.create()
    written(client, "activities.overdue", "csv")
    begun, ended = client.log()[-2:]
    assert (begun[1]["what"], begun[1]["format"]) == (["activities.overdue"], "csv")
    assert ended[1]["rows"] == 0


def test_it_says_which_there_are(client: Client) -> None:
    with pytest.raises(UnknownTable, match=r"there is no events; there are activities\..*, analytics\."):
        written(client, "events", "csv")


def test_the_command_writes_to_stdout_or_the_file_named(run: Run, client: Client, tmp_path: Path) -> None:
    client.create(subject="=cmd()")
    common = ("export", "--organization", client.organization, "--of", "daily_facts_known")

    done = run(*common)
    assert (done.returncode, json.loads(done.stdout)["created"]) == (0, 1)

    file = tmp_path / "facts.csv"
    done = run(*common, "--format", "csv", "--output", file)
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 rows" in done.stderr
    [row] = csv.DictReader(file.open(newline=""))
    assert row["created"] == "1"

    unknown = run(*common[:-1], "events", "--output", file)
    assert unknown.returncode == 2
    assert "analytics.activities" in unknown.stderr
    assert file.exists(), "what was there before stays"
