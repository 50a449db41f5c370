"""One process that serves a peer: `python -m benchmarks.peers.serve NAME`, on the socket it inherits."""

import os
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
        fd=int(os.environ[LISTEN_FD]),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        backlog=2048,
    )
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
