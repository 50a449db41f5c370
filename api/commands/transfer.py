"""`activities import` and `export`: activities on their way in and out."""

import sys
from pathlib import Path
from typing import IO, Annotated, Literal

import typer

from api.commands.options import DataDir, Organization, database, settings_with


def import_activities(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, or CSV with a header")],
    organization: Organization,
    user: Annotated[str, typer.Option("--user", help="Who imports")] = "import",
    data_dir: DataDir = None,
) -> None:
    """Bring activities in, each line with an external_id: made, or changed where it differs. Safe to run again."""
    from api.app import policy_of
    from api.commands.importing import import_file

    settings = settings_with(data_dir=data_dir)
    with database(settings) as dsn:
        policy = policy_of(settings)
        raise typer.Exit(import_file(dsn, file, organization=organization, user=user, policy=policy))


def export(
    organization: Organization,
    format: Annotated[
        Literal["ndjson", "csv", "parquet"], typer.Option("--format", help="CSV cells are no formulas")
    ] = "ndjson",
    of: Annotated[
        str | None, typer.Option("--of", help="Which view or read table; unset: the activities as the API tells them")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="A file; unset: stdout")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write an organisation's activities, or any view for analysts or read table, streaming."""
    from api.commands.exportable import UnknownTable

    if output is not None and not output.absolute().parent.is_dir():
        raise typer.BadParameter("there is no such folder", param_hint="--output")
    if output is None and format == "parquet":
        raise typer.BadParameter("parquet is written to a file", param_hint="--output")
    with database(settings_with(data_dir=data_dir)) as dsn:
        try:
            count = _exported(dsn, organization, format, of, output)
        except UnknownTable as unknown:
            raise typer.BadParameter(str(unknown), param_hint="--of") from None
    if output is not None:
        print(f"{count} {'activities' if of is None else 'rows'}", file=sys.stderr)


def _exported(dsn: str, organization: str, format: str, of: str | None, output: Path | None) -> int:
    """Write it where it is to go; how many rows."""
    from api.commands.whole_file import whole_file

    if output is None:
        return _export_text(dsn, organization, format, of, sys.stdout)
    if format == "parquet":
        from api.commands.exporting_parquet import export_parquet

        return export_parquet(dsn, organization, of or "activities", output)
    with whole_file(output) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        return _export_text(dsn, organization, format, of, file)


def _export_text(dsn: str, organization: str, format: str, of: str | None, out: IO[str]) -> int:
    if of is None:
        from api.commands.exporting import export as write

        return write(dsn, organization, format, out)
    from api.commands.exporting_rows import export_rows

    return export_rows(dsn, organization, of, format, out)
