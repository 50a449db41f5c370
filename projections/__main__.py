"""The projector as a process of its own: `python -m projections`."""

import gc
import os
import signal
import sys
import threading

from application import logs, tracing
from application.event_store.hazards import refuse_unsafe_settings
from application.settings import Settings
from projections.projector import Projector


def run(dsn: str) -> None:
    """Project until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # states and rows are mostly gone without the collector's help
    Projector(dsn, stop).run()


def main() -> int:
    refuse_unsafe_settings(os.environ)
    settings = Settings()
    logs.configure("projector", format=settings.log_format, level=settings.log_level)
    tracing.start("projector", settings.otlp_endpoint)
    if settings.database_url is None:
        print("ACTIVITIES_DATABASE_URL is not set: `activities serve` starts a database", file=sys.stderr)
        return 1
    run(settings.database_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
