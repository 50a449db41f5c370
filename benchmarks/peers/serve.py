"""One process that serves a peer: `python -m benchmarks.peers.serve NAME`, on the socket it inherits."""

import os
import socket
import sys
from importlib import import_module

import uvicorn
from fastapi import FastAPI

MODULES = {
    "crud": "benchmarks.peers.crud.app",
    "stock": "benchmarks.peers.stock.app",
    "echo": "benchmarks.peers.ceilings",
    "null": "benchmarks.peers.ceilings",
}
"""Modules with a `create_app()`."""

LISTEN_FD = "BENCHMARKS_LISTEN_FD"
DSN = "BENCHMARKS_DSN"
SECRET = "BENCHMARKS_SECRET"  # noqa: S105, the name of the variable


def main() -> int:
    app: FastAPI = import_module(MODULES[sys.argv[1]]).create_app()
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        backlog=2048,
    )
    # Handed over as uvicorn's `fd` it would be taken for a Unix socket, and each answer would wait 40 ms for an ACK.
    uvicorn.Server(config).run([socket.socket(fileno=int(os.environ[LISTEN_FD]))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
