"""`activities ...`: every command an operator has. What a command prints for programs goes to stdout alone."""

import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from pydantic import ValidationError

from api.commands.analytics import analytics
from api.commands.api_keys import api_key
from api.commands.audit import audit
from api.commands.options import DataDir, Organization, database, settings_with
from api.commands.parked import parked
from api.http.tokens import DEFAULT_SCOPES, SCOPES, issue
from api.serving.errors import CannotServe
from application.event_store.keyring import WrongMasterKey
from domain.erasure.drafts import Basis
from domain.personal_data import PERSONS
from domain.vocabulary import RecordKind

if TYPE_CHECKING:
    from projections.table import ReadModel

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


ReadModels = Annotated[list[str] | None, typer.Argument(help="Names of read models; all when none is given")]


def _chosen(names: list[str] | None) -> "list[ReadModel]":
    from projections.verify import chosen

    try:
        return chosen(names or ())
    except KeyError as unknown:
        raise typer.BadParameter(f"no read model is named {unknown}", param_hint="NAME") from None


@app.command()
def verify(names: ReadModels = None, data_dir: DataDir = None) -> None:
    """Fold the log anew and compare it with the read tables, row by row. Exit code 1 where they differ."""
    from api.commands.tables import verify_tables

    models = _chosen(names)
    with database(settings_with(data_dir=data_dir)) as dsn:
        raise typer.Exit(verify_tables(dsn, models))


@app.command()
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


@app.command("import")
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


@app.command()
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


@app.command()
def erase(
    organization: Organization,
    basis: Annotated[Basis, typer.Option("--basis", help="On what ground: GDPR, Article 17 (1)")],
    kind: Annotated[RecordKind | None, typer.Option("--kind", help="Of whose record: lead, customer, ...")] = None,
    id: Annotated[str | None, typer.Option("--id", help="The record's id")] = None,
    email: Annotated[str | None, typer.Option("--email", help="An outsider's address, instead")] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="A case number; kept for ever")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much there is")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase one person's data for good: key, log, tables, search. Cut off, it is simply run again."""
    from api.commands.erasing import erase_person
    from application.erasure.erase import Person
    from application.refusals import Unavailable
    from domain.erasure.drafts import Erasure
    from domain.refusals import Unknown

    if (email is None) == (kind is None or id is None):
        raise typer.BadParameter("name a person by --kind and --id, or by --email")
    if kind is not None and kind not in PERSONS:
        raise typer.BadParameter(f"a {kind} is no person", param_hint="--kind")
    wanted = Erasure(basis=basis, reference=reference, dry_run=dry_run)
    with database(settings_with(data_dir=data_dir)) as dsn:
        try:
            erase_person(dsn, Person(organization, kind, id, email), wanted)
        except Unknown as unknown:
            raise typer.BadParameter(unknown.message, param_hint="--id") from None
        except Unavailable as unavailable:
            _give_up(str(unavailable))


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
