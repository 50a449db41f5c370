"""`activities audit ...`: for auditors, and for those who answer to them."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataDir, Organization, database, settings_with
from api.serving.errors import CannotServe

audit = typer.Typer(help="Prove that the log is what it was.", no_args_is_help=True)

AnyOrganization = Annotated[str | None, typer.Option("--organization", help="The organisation's id; unset: all")]


@audit.command("scrub")
def audit_scrub(organization: AnyOrganization = None, data_dir: DataDir = None) -> None:
    """Derive every leaf anew from the stored rows, and compare with the trees and what was signed of them.

    Exit code 1 where a log is not what it was, naming the first event at fault; 2 where it cannot be told.
    """
    from api.commands.audit.scrubbing import scrub
    from projections.signing.custody import custody_at_hand

    settings = settings_with(data_dir=data_dir)
    try:
        with database(settings) as dsn:
            raise typer.Exit(scrub(dsn, custody_at_hand(settings), organization))
    except (CannotServe, ValueError) as error:
        print(f"activities: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


@audit.command("export")
def audit_export(
    organization: Organization,
    out: Annotated[Path, typer.Option("--out", help="A directory to make, or a file ending in .zip")],
    first: Annotated[int, typer.Option("--from", min=1, help="The first position")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="The last position; unset: all that is signed")
    ] = None,
    known: Annotated[
        Path | None, typer.Option("--known", exists=True, dir_okay=False, help="A checkpoint the auditor holds")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a bundle that proves itself offline: events, tree, signed checkpoint, and the verifier (`verify.py`)."""
    from api.commands.audit.exporting import export

    with database(settings_with(data_dir=data_dir)) as dsn:
        made = export(dsn, organization, out, first=first, last=last, known=known)
    print(f"{out}: events {made.first} to {made.last} of {made.origin}, under a checkpoint of {made.size}")


@audit.command("key")
def audit_key(
    organization: AnyOrganization = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Sign with this directory's key from now on")] = False,
    data_dir: DataDir = None,
) -> None:
    """Print the verifier key of an organisation, else the key's fingerprint. Give it to auditors by another way.

    It is read from the signer's own directory, not from the database.
    """
    from projections.signing.custody import custody_of
    from projections.signing.signer import take_over as take

    settings = settings_with(data_dir=data_dir)
    custody = custody_of(settings)
    if take_over:
        with database(settings) as dsn:
            take(dsn, custody)
    key = custody.verifier(organization or "")
    print(key.fingerprint if organization is None else key)
