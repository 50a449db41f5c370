"""The signer as a process of its own: `python -m projections.signing`."""

import os
import signal
import sys
import threading

from application import logs, tracing
from application.event_store.hazards import refuse_unsafe_settings
from application.settings import Settings
from projections.signing.custody import custody_of
from projections.signing.signer import Signer


def main() -> int:
    """Sign until SIGTERM or SIGINT."""
    refuse_unsafe_settings(os.environ)
    settings = Settings()
    logs.configure("signer", format=settings.log_format, level=settings.log_level)
    tracing.start("signer", settings.otlp_endpoint)
    if settings.database_url is None:
        print("ACTIVITIES_DATABASE_URL is not set: `activities serve` starts a database", file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Signer(settings.database_url, custody_of(settings), stop, settings.signer_interval).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
