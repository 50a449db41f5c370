"""`activities ...`: every command an operator has. What a command prints for programs goes to stdout alone."""

import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from api.commands.analytics import analytics
from api.commands.api_keys import api_key
from api.commands.audit import audit
from api.commands.erase import erase
from api.commands.options import DataDir, Organization, database, settings_with
from api.commands.parked import parked
from api.commands.read_tables import rebuild, verify
from api.commands.transfer import export, import_activities
from api.http.tokens import DEFAULT_SCOPES, SCOPES, issue
from api.serving.errors import CannotServe
from application.event_store.keyring import WrongMasterKey

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(analytics, name="analytics")
app.add_typer(api_key, name="api-key")
app.add_typer(parked, name="parked")
app.add_typer(audit, name="audit")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int | None, typer.Option(help="API worker processes")] = None,
) -> None:
    """Start the database (unless ACTIVITIES_DATABASE_URL is set), the API and the projector."""
    from api.serving.serve import serve as run

    raise typer.Exit(run(settings_with(host=host, port=port, data_dir=data_dir, workers=workers)))


@app.command()
def token(
    organization: Organization,
    user: Annotated[str, typer.Option("--user", help="Who acts")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help=f"One of {', '.join(SCOPES)}")] = None,
    ttl: Annotated[int | None, typer.Option(min=1, help="Lifetime in seconds")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print a bearer token, and nothing else."""
    settings = settings_with(data_dir=data_dir)
    if unknown := set(scope or ()) - set(SCOPES):
        raise typer.BadParameter(f"unknown scope {', '.join(sorted(unknown))}", param_hint="--scope")
    for option, said in (("--organization", organization), ("--user", user)):
        if not 1 <= len(said) <= 64 or not said.isprintable():
            raise typer.BadParameter("must have 1 to 64 printable characters", param_hint=option)
    print(
        issue(
            settings.secret(),
            organization=organization,
            user=user,
            scopes=scope or DEFAULT_SCOPES,
            ttl=ttl or settings.token_ttl,
            now=time.time(),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
    )


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database up to date; says what was applied."""
    from application.postgres.migrations import all_migrations

    with database(settings_with(data_dir=data_dir)):
        print(f"the database is up to date: {len(all_migrations())} migrations")


@app.command()
def projector(data_dir: DataDir = None) -> None:
    """Run a projector by itself: it works, or stands by while another does."""
    from projections.__main__ import run

    with database(settings_with(data_dir=data_dir)) as dsn:
        run(dsn)


@app.command()
def demo(
    organization: Organization = "demo",
    data_dir: DataDir = None,
) -> None:
    """Load a sample organisation: 200 records and 2,000 activities over a year. Prints a token and curl lines."""
    from api.commands.demo import load, tour

    settings = settings_with(data_dir=data_dir)
    with database(settings) as dsn:
        load(dsn, organization)
    tour(settings, organization)


@app.command()
def status(
    url: Annotated[str | None, typer.Option(help="Where it serves; unset: the configured host and port")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once; exit code 1 where it is not ready")] = False,
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between looks")] = 2.0,
) -> None:
    """How a running service is doing: a live panel, or plain lines where there is no terminal."""
    from api.commands.status import show

    settings = settings_with()
    scheme = "http" if settings.tls_certificate is None else "https"
    raise typer.Exit(show(url or f"{scheme}://{settings.host}:{settings.port}", once=once, every=every))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to make; must not be there yet")],
    data_dir: DataDir = None,
) -> None:
    """Put everything into one file, while the service goes on. It holds personal data: keep it accordingly."""
    from api.commands.backups import back_up_to

    back_up_to(settings_with(data_dir=data_dir), file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `backup` made")],
    replace: Annotated[bool, typer.Option("--replace", help="In place of what the database holds")] = False,
    data_dir: DataDir = None,
) -> None:
    """Take everything from a backup: wholly, or not at all. The service must not be running."""
    from api.commands.backups import restore_from

    restore_from(settings_with(data_dir=data_dir), file, replace=replace)


app.command("import")(import_activities)
for command in (export, erase, verify, rebuild):
    app.command()(command)


def main() -> None:
    """The console script."""
    try:
        app()
    except (CannotServe, WrongMasterKey) as error:
        _give_up(str(error))
    except ValidationError as error:  # of the settings; what was set is not repeated, it may be a secret
        wrong = error.errors(include_input=False, include_url=False)
        _give_up("; ".join(f"ACTIVITIES_{str(one['loc'][0]).upper()}: {one['msg']}" for one in wrong if one["loc"]))


def _give_up(why: str) -> NoReturn:
    print(f"activities: {why}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
