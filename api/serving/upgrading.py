"""The part of an upgrade that needs the master key: what earlier releases stored in plain is sealed."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from psycopg import Connection

from api.serving.errors import CannotServe
from application.event_store import keyring
from application.sealing_the_past.walking import seal_the_past
from application.settings import Settings

log = logging.getLogger(__name__)

_TELL_EVERY = 2.0
_SEALING = "sealing what earlier releases stored in plain"

Telling = Callable[[str], AbstractContextManager[Callable[[int], None]]]
"""How progress is told: of what, and then of so many events more."""


@contextmanager
def logged(what: str) -> Iterator[Callable[[int], None]]:
    """Progress in the log."""
    count, said = 0, time.monotonic()

    def told(more: int) -> None:
        nonlocal count, said
        count += more
        if time.monotonic() - said > _TELL_EVERY:
            said = time.monotonic()
            log.info("%s: %s events", what, count)

    yield told


def seal_what_is_in_plain(settings: Settings, telling: Telling, connection: Connection[Any]) -> None:
    """Unless that was done. Raises CannotServe."""

    @contextmanager
    def sealing() -> Iterator[Callable[[int], None]]:
        _refuse_fleeting_key(settings)
        with telling(_SEALING) as told:
            yield told

    try:
        done = seal_the_past(connection, sealing)
    except keyring.WrongMasterKey as error:
        raise CannotServe(str(error)) from error
    if done.facts:
        log.info("sealed %s events that earlier releases stored in plain", done.facts)
    if done.left:
        log.warning("%s streams could not be read: what they say stays in plain", len(done.left))


def _refuse_fleeting_key(settings: Settings) -> None:
    """What was readable so far must not come to hang upon a key that is gone with this machine."""
    keyring.use(settings)
    if not settings.keeps_encryption_secret():
        raise CannotServe(
            "what earlier releases stored in plain is to be sealed, under a master key that must be kept:"
            " set ACTIVITIES_ENCRYPTION_KEY or ACTIVITIES_ENCRYPTION_KEY_FILE, or give it the data directory it had"
        )
    try:
        settings.encryption_secret()
    except OSError as error:
        raise CannotServe(f"{error.filename or settings.data_dir}: {error.strerror or error}") from error
    except ValueError as error:
        raise CannotServe(str(error)) from error
