"""The parent owns the port, so that no child's death ever loses it."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from api.serving.errors import CannotServe
from application.postgres.embedded.waiting import wait_until

VARIABLE = "ACTIVITIES_LISTEN_FD"
_BACKLOG = 2048
_PATIENCE = 2.0  # what the workers of a parent that was killed need to let go of the port


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket for children to inherit; port 0 takes any free one. Raises CannotServe."""
    with _bound(host, port) as listener:
        yield listener


def url_of(host: str, listener: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port_of(listener)}"


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken: list[socket.socket] = []

    def take() -> bool:
        try:
            taken.append(socket.create_server((host, port), family=family, backlog=_BACKLOG))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise CannotServe(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
        return True

    if not wait_until(take, _PATIENCE, pause=0.05):
        raise CannotServe(f"port {port} on {host} is in use: choose another with --port")
    return taken[0]
