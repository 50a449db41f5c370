"""One API worker: `python -m api.worker`, on the socket it inherits from `activities serve`."""

import os
import sys

import uvicorn

from api.app import create_app
from application.event_store.hazards import refuse_unsafe_settings
from application.settings import Settings


def main() -> int:
    refuse_unsafe_settings(os.environ)
    settings = Settings()
    inherited = os.environ.get("ACTIVITIES_LISTEN_FD")
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        fd=int(inherited) if inherited else None,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=6,
        backlog=2048,
    )
    uvicorn.Server(config).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
