"""One API worker: `python -m api.worker`, on the socket it inherits from `activities serve`."""

import gc
import os
import socket
import sys
from collections.abc import Mapping

import uvicorn

from api.app import create_app
from application import logs, tracing
from application.event_store.hazards import refuse_unsafe_settings
from application.settings import Settings

KEEP_ALIVE = 75
"""Seconds a connection may be idle: longer than proxies and clients leave theirs (60, mostly), or one of them would
send a command just as its connection is closed, and not know what became of it."""


def main() -> int:
    refuse_unsafe_settings(os.environ)
    settings = Settings()
    logs.configure("worker", format=settings.log_format, level=settings.log_level)
    tracing.start("worker", settings.otlp_endpoint)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=6,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
        backlog=2048,
    )
    settle_memory()
    uvicorn.Server(config).run(inherited_sockets(os.environ))
    return 0


def settle_memory() -> None:
    """What is there at the start stays; what requests make is mostly gone without the collector's help."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def inherited_sockets(environ: Mapping[str, str]) -> list[socket.socket] | None:
    """The socket handed down, as what it is: uvicorn's own `fd` takes each for a Unix socket.

    On those Nagle's algorithm is left on, and every answer on a kept-alive connection waits 40 ms for an ACK.
    """
    fd = environ.get("ACTIVITIES_LISTEN_FD")
    return [socket.socket(fileno=int(fd))] if fd else None


if __name__ == "__main__":
    sys.exit(main())
