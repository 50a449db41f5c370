"""One API worker in a thread of the tests' own process, with settings of the test's choice; quick to start.

`serving` has no projector: it is for what is decided before a read table is asked. `InProcess` has one.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import uvicorn
from service import SECRET, Service, eventually

from api.app import create_app
from application.settings import Settings
from projections.projector import Projector

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


class InProcess(Service):
    """The service in threads of the tests' own process: slower, but whoever watches the process sees what is called."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(TemporaryDirectory(prefix="activities-service-")))
            (self._folder / "api-key-pepper").write_text(PEPPER)
            self.url = stack.enter_context(serving(self.dsn))
            stack.callback(self._stop)
            stack.enter_context(projecting(self.dsn))
            if self._signer:
                self._start("signer", "projections.signing")
            self.await_ready()
            self._stack = stack.pop_all()
        return self


@contextmanager
def projecting(dsn: str) -> Iterator[None]:
    """A projector at work for as long as the block lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=Projector(dsn, stop).run, name="projector")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
