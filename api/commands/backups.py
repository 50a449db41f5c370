"""`activities backup` and `restore`: what they say, and what they remind of."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from api.commands.progress import counting
from api.serving.database import bring_up_to_date, unmigrated
from api.serving.errors import CannotServe
from application.backup.backing_up import back_up
from application.backup.errors import BackupError
from application.backup.manifest import Manifest
from application.backup.restoring import restore
from application.event_store import keyring
from application.settings import Settings
from projections.read_models import READ_MODELS
from projections.rebuild import PREVIOUS
from projections.shadow import shadow_of

OF_REBUILDS = [shadow_of(model, suffix).name for model in READ_MODELS.values() for suffix in ("shadow", PREVIOUS)]
"""Tables that can be made again, and that no migration makes."""


def keys_mark(settings: Settings) -> str:
    """What the secret that API keys are recognised by is itself recognised by."""
    return hmac.digest(settings.pepper().encode(), b"activities backup", "sha256").hex()[:16]


def back_up_to(settings: Settings, file: Path) -> None:
    with unmigrated(settings) as dsn, _in_one_line(), counting("backing up", "rows") as told:
        manifest = back_up(dsn, file, told, keys=keys_mark(settings), without=OF_REBUILDS)
    print(f"{file}: {_said(manifest)}")


def restore_from(settings: Settings, file: Path, *, replace: bool) -> None:
    keyring.use(settings)
    with unmigrated(settings) as dsn:
        with _in_one_line(), counting("restoring", "rows") as told:
            manifest = restore(dsn, file, told, replace=replace, without=OF_REBUILDS)
            sealed_otherwise = keyring.sealed_otherwise(dsn)
        print(f"restored {_said(manifest)}")
        if sealed_otherwise:
            print("personal data cannot be read here: bring the old encryption-key along (data directory, or setting)")
        if manifest.keys != keys_mark(settings):
            print(
                "its API keys are not recognised here: bring the old api-key-pepper along (data directory, or setting)"
            )
        if not sealed_otherwise:
            bring_up_to_date(settings, dsn, counting)


def _said(manifest: Manifest) -> str:
    return f"{manifest.events} events of {manifest.organizations} organisations, as of {manifest.taken_at:%FT%TZ}"


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise CannotServe(str(error)) from error
    except psycopg.Error as error:
        raise CannotServe(f"the database did not go along ({type(error).__name__}); nothing was changed") from error
