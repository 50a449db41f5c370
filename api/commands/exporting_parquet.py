"""`activities export --format parquet`: a view of the schema analytics or a read table, a row group at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Column, Connection, IsolationLevel
from psycopg.sql import SQL
from psycopg.types.string import TextLoader

from api.commands.exportable import table_named
from api.commands.exporting import await_freshness
from api.commands.progress import counting
from api.commands.whole_file import whole_file
from api.serving.errors import CannotServe
from application.oversight.on_record import every_organization, export_of, on_record
from application.postgres.connections import Role, conninfo
from projections.read_models import READ_MODELS

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 5_000
_AS_TEXT = ("uuid", "json", "jsonb")


def export_parquet(dsn: str, organization: str, of: str, path: Path) -> int:
    """Write what the organisation has in `of`; how many rows. One snapshot, in which every acknowledged write is seen.

    That it was exported is on record in the organisation's log. Raises UnknownTable, or CannotServe.
    """
    whose = {organization}.intersection(every_organization(dsn))
    with on_record(dsn, whose, export_of(of, format="parquet")) as work:
        work.rows = _written(dsn, organization, of, path)
    return work.rows


def _written(dsn: str, organization: str, of: str, path: Path) -> int:
    pyarrow = _pyarrow()
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection, counting(f"exporting {of}", "rows") as told:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for type_ in _AS_TEXT:
            connection.adapters.register_loader(type_, TextLoader)
        table = table_named(connection, of)
        await_freshness(connection, organization, list(READ_MODELS))
        connection.execute("set local statement_timeout = 0")
        with whole_file(path) as draft, connection.cursor(name="export") as cursor:
            cursor.execute(SQL("select * from {}").format(table))
            schema = pyarrow.schema([(c.name, _type(pyarrow, connection, c)) for c in cursor.description or ()])
            count = 0
            with pyarrow.parquet.ParquetWriter(draft, schema, compression="zstd") as writer:
                for rows in _groups(cursor):
                    writer.write_batch(_batch(pyarrow, schema, rows))
                    count += len(rows)
                    told(len(rows))
    return count


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise CannotServe(
            "Parquet is written by pyarrow, which is not installed: pip install pyarrow (or the extra parquet)"
        ) from None
    return pyarrow


def _type(pyarrow: Any, connection: Connection[Any], column: Column) -> "pa.DataType":
    """What a column is in Arrow; what has no better type there is text."""
    info = connection.adapters.types.get(column.type_code)
    if info is None:
        return pyarrow.string()
    if info.name == "numeric":
        return pyarrow.string() if column.precision is None else pyarrow.decimal128(column.precision, column.scale)
    of = {
        "bool": pyarrow.bool_(),
        "int2": pyarrow.int16(),
        "int4": pyarrow.int32(),
        "int8": pyarrow.int64(),
        "float8": pyarrow.float64(),
        "date": pyarrow.date32(),
        "timestamptz": pyarrow.timestamp("us", tz="UTC"),
    }.get(info.name, pyarrow.string())
    return pyarrow.list_(of) if info.array_oid == column.type_code else of


def _groups(cursor: psycopg.ServerCursor[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    while rows := cursor.fetchmany(ROW_GROUP):
        yield rows


def _batch(pyarrow: Any, schema: "pa.Schema", rows: Sequence[Sequence[Any]]) -> "pa.RecordBatch":
    columns = zip(*rows, strict=True)
    arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)
