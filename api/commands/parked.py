"""`activities parked ...`: streams with an event that could not be projected."""

import typer

from api.commands.options import DataDir, database, settings_with
from application.ulids import ulid_of
from projections.parking import parked as parked_streams
from projections.parking import retry

parked = typer.Typer(help="Streams with an event that could not be projected.", no_args_is_help=True)


@parked.command("list")
def parked_list(data_dir: DataDir = None) -> None:
    """What is parked, and why."""
    with database(settings_with(data_dir=data_dir)) as dsn:
        for one in parked_streams(dsn):
            print(f"{one.organization_id} {ulid_of(one.key)} at {one.position} {one.topic}: {one.reason}")


@parked.command("retry")
def parked_retry(data_dir: DataDir = None) -> None:
    """Project what is parked again. Exit code 1 where something stays parked."""
    with database(settings_with(data_dir=data_dir)) as dsn:
        waiting = parked_streams(dsn)
        freed = sum(retry(dsn, one) for one in waiting)
        print(f"{freed} of {len(waiting)} parked streams were projected")
        raise typer.Exit(int(freed < len(waiting)))
