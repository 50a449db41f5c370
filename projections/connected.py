"""Working on a connection for as long as the process is wanted, however often the database goes away."""

import threading
from collections.abc import Callable
from logging import Logger
from typing import Any

import psycopg
from psycopg import Connection

LONGEST_PAUSE = 5.0


def while_wanted(conninfo: str, stop: threading.Event, work: Callable[[Connection[Any]], None], log: Logger) -> None:
    """Until `stop` is set: `work` on a connection, and on a new one, after a pause, when that is lost."""
    pause = 0.1
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                pause = 0.1
                work(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("the database is away: %s", type(error).__name__)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
