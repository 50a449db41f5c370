"""`activities api-key ...`: keys by which programs are known."""

from typing import Annotated

import typer

from api.commands.options import DataDir, Organization, database, settings_with
from api.http.tokens import DEFAULT_SCOPES, SCOPES

api_key = typer.Typer(help="Keys by which programs are known.", no_args_is_help=True)


@api_key.command("create")
def api_key_create(
    organization: Organization,
    name: Annotated[str, typer.Option("--name", help="What the key is for")],
    scope: Annotated[list[str] | None, typer.Option("--scope", help=f"One of {', '.join(SCOPES)}")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key and print it, and nothing else: nobody can say it again."""
    from application.api_key.administration import create_api_key

    settings = settings_with(data_dir=data_dir)
    with database(settings) as dsn:
        try:
            print(create_api_key(dsn, organization, name, scope or DEFAULT_SCOPES, pepper=settings.pepper()))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None


@api_key.command("list")
def api_key_list(organization: Organization, data_dir: DataDir = None) -> None:
    """The organisation's keys, the oldest first; revoked ones, too."""
    from application.api_key.administration import list_api_keys

    with database(settings_with(data_dir=data_dir)) as dsn:
        for key in list_api_keys(dsn, organization):
            state = "revoked" if key.revoked_at else "active"
            used = f"last used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            print(f"{key.id}  {state:8}{key.name}  ({', '.join(key.scopes)}; {used})")


@api_key.command("revoke")
def api_key_revoke(
    key_id: Annotated[str, typer.Argument(help="As `api-key list` shows it")],
    organization: Annotated[str | None, typer.Option("--organization", help="Whose key it is")] = None,
    data_dir: DataDir = None,
) -> None:
    """From now on no worker takes the key."""
    from application.api_key.administration import revoke_api_key
    from domain.refusals import Unknown

    with database(settings_with(data_dir=data_dir)) as dsn:
        try:
            revoke_api_key(dsn, organization, key_id)
        except Unknown as unknown:
            raise typer.BadParameter(unknown.message, param_hint="KEY_ID") from None
