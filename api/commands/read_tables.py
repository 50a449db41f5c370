"""`activities verify` and `rebuild`: read tables held against the log, or made anew from it."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import DataDir, database, settings_with

if TYPE_CHECKING:
    from projections.read_model import ReadModel

ReadModels = Annotated[list[str] | None, typer.Argument(help="Names of read models; all when none is given")]


def _chosen(names: list[str] | None) -> "list[ReadModel]":
    from projections.verify import chosen

    try:
        return chosen(names or ())
    except KeyError as unknown:
        raise typer.BadParameter(f"no read model is named {unknown}", param_hint="NAME") from None


def verify(names: ReadModels = None, data_dir: DataDir = None) -> None:
    """Fold the log anew and compare it with the read tables, row by row. Exit code 1 where they differ."""
    from api.commands.tables import verify_tables

    models = _chosen(names)
    with database(settings_with(data_dir=data_dir)) as dsn:
        raise typer.Exit(verify_tables(dsn, models))


def rebuild(
    names: ReadModels = None,
    roll_back: Annotated[bool, typer.Option("--rollback", help="Take the previous table back")] = False,
    data_dir: DataDir = None,
) -> None:
    """Build read tables anew beside the live ones, compare, and switch; nobody notices."""
    from api.commands.tables import rebuild_tables, roll_back_tables

    models = _chosen(names)
    with database(settings_with(data_dir=data_dir)) as dsn:
        raise typer.Exit(roll_back_tables(dsn, models) if roll_back else rebuild_tables(dsn, models))
