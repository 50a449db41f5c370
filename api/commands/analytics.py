"""`activities analytics ...`: logins for analysts, and the dictionary of what they read."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataDir, Organization, database, settings_with
from api.serving.errors import CannotServe

analytics = typer.Typer(help="Logins for analysts, and what they read.", no_args_is_help=True)


@analytics.command("grant")
def grant(
    organization: Organization,
    name: Annotated[str, typer.Option("--name", help="Whose login it is, in lower-case letters")],
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="What a day is in the daily views; UTC")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a login that reads this organisation and no other. Prints its connection string: nobody can say it again."""
    from application.analyst.administration import grant_analyst
    from application.analyst.ownership import CannotGrant

    settings = settings_with(data_dir=data_dir)
    with database(settings) as dsn:
        try:
            print(grant_analyst(dsn, organization, name, time_zone=time_zone, read_dsn=settings.read_url))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        except CannotGrant as error:
            raise CannotServe(str(error)) from error


@analytics.command("list")
def list_(organization: Organization, data_dir: DataDir = None) -> None:
    """The organisation's logins, the oldest first."""
    from application.analyst.administration import list_analysts

    with database(settings_with(data_dir=data_dir)) as dsn:
        for analyst in list_analysts(dsn, organization):
            print(f"{analyst.role}  {analyst.name}  (granted {analyst.created_at:%Y-%m-%d %H:%M})")


@analytics.command("revoke")
def revoke(
    role: Annotated[str, typer.Argument(help="As `analytics list` shows it")],
    organization: Organization,
    data_dir: DataDir = None,
) -> None:
    """End a login and its connections."""
    from application.analyst.administration import revoke_analyst
    from application.analyst.ownership import CannotGrant

    with database(settings_with(data_dir=data_dir)) as dsn:
        try:
            if not revoke_analyst(dsn, organization, role):
                raise typer.BadParameter(f"{organization} has no analyst {role}", param_hint="ROLE")
        except CannotGrant as error:
            raise CannotServe(str(error)) from error


@analytics.command("dictionary")
def dictionary(
    output: Annotated[Path | None, typer.Option("--output", help="A file; unset: stdout")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the data dictionary, as Markdown."""
    from projections.analytics.dictionary import dictionary as told

    with database(settings_with(data_dir=data_dir)) as dsn:
        text = told(dsn)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
