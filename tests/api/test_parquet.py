"""Parquet: what is read back is what the database says, type by type; a file is there as a whole or not at all."""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet
import pytest
from service import Client, Service

from api.commands import exporting_parquet
from api.commands.exportable import UnknownTable
from api.commands.exporting_parquet import export_parquet
from api.commands.whole_file import whole_file
from application.event_store.mapper import activity_key
from application.postgres.connections import Role, conninfo
from projections.read_models import READ_MODELS

Run = Callable[..., Any]


@pytest.fixture
def filled(client: Client) -> Client:
    """Something in every view."""
    client.record("leads", "l-1")
    client.record("contacts", "ct-1", email="ct@example.com")
    client.record("accounts", "a-1")
    client.record("users", "u-9")
    client.record("opportunities", "o-1", value=1200.5, expected_close_date="2030-01-31", attributes={"x": [1]})
    billable = {"is_billable": True, "billable_rate": 90.5, "currency": "EUR", "duration_minutes": 40}
    call = client.create(**billable, due_at="2025-01-01T00:00:00Z", tags=["a", "b"], participants=["u-1"])
    client.act(call, "complete", outcome="=1+1", follow_up_date="2031-01-07")
    client.create(due_at="2025-01-01T00:00:00.25Z")
    client.delete(client.create())
    return client


def names(service: Service) -> list[str]:
    with psycopg.connect(service.dsn) as connection:
        views = connection.execute(
            "select 'analytics.' || relname from pg_class"
            " where relnamespace = 'analytics'::regnamespace and relkind = 'v' order by 1"
        ).fetchall()
    return [name for (name,) in views] + [f"activities.{name}" for name in READ_MODELS]


def told(client: Client, of: str) -> list[dict[str, Any]]:
    """The same rows from the database, as the service may read them."""
    with psycopg.connect(conninfo(client.service.dsn, Role.READER)) as connection:
        connection.execute("select begin_reading(%s, '{}')", (client.organization,))
        cursor = connection.execute(f"select * from {of}")
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def told_alike(rows: list[dict[str, Any]], schema: pa.Schema) -> list[str]:
    """Rows in words, so that both sides can be sorted and compared: what Parquet has no type for is text there."""
    return sorted(
        repr({name: in_words(value, as_text=schema.field(name).type == pa.string()) for name, value in row.items()})
        for row in rows
    )


def in_words(value: Any, *, as_text: bool) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    return str(value) if as_text and value is not None else value


def test_every_view_and_read_table_is_read_back_as_it_is(filled: Client, tmp_path: Path) -> None:
    for of in names(filled.service):
        file = tmp_path / f"{of}.parquet"
        count = export_parquet(filled.service.dsn, filled.organization, of, file)
        table = pa.parquet.read_table(file)
        back, rows = table.to_pylist(), told(filled, of)
        assert count == len(rows) > 0, of
        assert table.column_names == list(rows[0]), of
        if of != "analytics.freshness":  # which the export's own record moves on
            assert told_alike(back, table.schema) == told_alike(rows, table.schema), of


def test_types_are_the_right_ones(filled: Client, tmp_path: Path) -> None:
    file = tmp_path / "activities.parquet"
    export_parquet(filled.service.dsn, filled.organization, "activities", file)

    table = pa.parquet.read_table(file)
    types = {field.name: field.type for field in table.schema}
    assert types["activity_id"] == pa.string()
    assert types["due_at"] == pa.timestamp("us", tz="UTC")
    assert types["billable_amount"] == pa.decimal128(12, 2)
    assert types["tags"] == pa.list_(pa.string())
    assert types["is_billable"] == pa.bool_()
    assert types["priority_rank"] == pa.int16()
    assert types["number"] == pa.int64()
    done = next(row for row in table.to_pylist() if row["status"] == "completed")
    assert done["billable_amount"] == Decimal("60.33")
    assert done["tags"] == ["a", "b"]
    assert done["due_at"] == datetime(2025, 1, 1, tzinfo=UTC)
    assert done["activity_id"] == str(activity_key(done["id"]))

    export_parquet(filled.service.dsn, filled.organization, "opportunities", file)
    [deal] = pa.parquet.read_table(file).to_pylist()
    assert (deal["value"], deal["expected_close_date"]) == (Decimal("1200.50"), date(2030, 1, 31))
    assert deal["attributes"] == '{"x": [1]}'


def test_rows_are_written_in_groups_so_that_a_large_table_needs_no_more_memory(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting_parquet, "ROW_GROUP", 4)
    for _ in range(10):
        client.create()
    file = tmp_path / "activities.parquet"

    assert export_parquet(client.service.dsn, client.organization, "activities", file) == 10

    metadata = pa.parquet.read_metadata(file)
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [4, 4, 2]


def test_an_organisation_with_nothing_has_a_file_with_no_rows(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "leads.parquet"
    assert export_parquet(client.service.dsn, client.organization, "leads", file) == 0
    assert pa.parquet.read_table(file).column_names[:2] == ["id", "name"]


def test_the_command_writes_the_file_named(run: Run, client: Client, tmp_path: Path) -> None:
    client.create()
    file = tmp_path / "facts.parquet"
    common = ("export", "--organization", client.organization, "--format", "parquet")

    done = run(*common, "--of", "daily_facts_known", "--output", file)

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "1 rows" in done.stderr
    assert pa.parquet.read_table(file).to_pylist()[0]["created"] == 1
    unknown = run(*common, "--of", "events", "--output", file)
    assert unknown.returncode == 2
    assert "analytics.activities" in unknown.stderr
    assert run(*common).returncode == 2


def test_without_pyarrow_it_says_what_is_missing_and_writes_nothing(run: Run, client: Client, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('not here')\n")
    file = tmp_path / "x.parquet"
    common = ("export", "--organization", client.organization, "--format", "parquet", "--output", file)
    without = run(*common, PYTHONPATH=str(tmp_path))

    assert without.returncode == 1
    assert "pip install pyarrow" in without.stderr
    assert not file.exists()


def test_only_what_analysts_and_read_models_have_can_be_exported(client: Client, tmp_path: Path) -> None:
    for of in ("events", "activities.api_keys", "activities.events", "pg_authid", "analytics.nothing"):
        with pytest.raises(UnknownTable):
            export_parquet(client.service.dsn, client.organization, of, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_file_before_it_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("before")
    with pytest.raises(UnicodeEncodeError), whole_file(file) as draft, draft.open("w", encoding="ascii") as half:
        half.writelines(["half of", "ü"])
    assert file.read_text() == "before"
    with whole_file(file) as draft:
        draft.write_text("after")
    assert file.read_text() == "after"
    assert os.listdir(tmp_path) == ["out"]
