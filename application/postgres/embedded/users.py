"""Leaving a server that others may be using: the last one out stops it."""

from application.postgres.embedded.home import Home
from application.postgres.embedded.locks import FileLock, held
from application.postgres.embedded.postmaster import stop_server

START_SECONDS = 60.0


def leave(home: Home, users: FileLock, *, patience: float = 0.0) -> bool:
    """Give up a share in the users lock; whoever can have it alone is the last, and stops the server.

    `patience` is how long clients may finish first. True: we were the last. Raises TimeoutError.
    """
    try:
        with held(home.start_lock, START_SECONDS):
            if last := users.try_exclusive():
                stop_server(home, patience)
            return last
    finally:
        users.release()
