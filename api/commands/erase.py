"""`activities erase`: one person's data, for good."""

from typing import Annotated

import typer

from api.commands.options import DataDir, Organization, database, settings_with
from api.serving.errors import CannotServe
from domain.erasure.drafts import Basis
from domain.personal_data import PERSONS
from domain.vocabulary import RecordKind


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
            raise CannotServe(str(unavailable)) from None
