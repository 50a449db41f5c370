"""One API worker in a thread of the tests' own process, with settings of the test's choice; quick to start.

There is no projector: it is for what is decided before a read table is asked.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from service import SECRET, eventually

from api.app import create_app
from application.settings import Settings

PEPPER = "a pepper of the tests"


@contextmanager
def serving(dsn: str, **settings: Any) -> Iterator[str]:
    """The URL of a worker."""
    app = create_app(Settings(**{"database_url": dsn, "jwt_secret": SECRET, "api_key_pepper": PEPPER} | settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, http="httptools", log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run, name="worker")
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive(), 20, "the worker starts")
        assert server.started, "the worker did not start"
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
