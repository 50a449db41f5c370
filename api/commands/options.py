"""Options several commands have, and what they open."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from application.event_store import keyring
from application.settings import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded database and the secret live")]
Organization = Annotated[str, typer.Option("--organization", help="The organisation's id")]


def settings_with(**given: Any) -> Settings:
    """The environment's settings, but for what was given on the command line."""
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    keyring.use(settings)
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The DSN of a migrated database: the operator's, or the embedded one, shared with a running serve."""
    from api.commands.progress import counting
    from api.serving.database import database_of

    with database_of(settings, counting) as found:
        yield found.dsn
