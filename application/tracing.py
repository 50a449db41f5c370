"""OpenTelemetry traces, for those who have configured where they go; for all others this costs a look at `spans`.

A command's id is its trace's id. So whoever knows the one finds the other: the request links to the command's trace,
and so do the batch that recorded it and each stretch of the log that was projected with it, in another process.
"""

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from application.spans import Spans

_STANDARD = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"

spans: "Spans | None" = None
"""What records spans in this process; None where nobody wants any."""


class NotInstalled(Exception):
    """Traces are wanted, and what makes them is not installed; the message says so."""


def wanted(endpoint: str | None) -> bool:
    """Whether traces are to go anywhere: by our setting, or by OpenTelemetry's own variables."""
    return endpoint is not None or any(os.environ.get(name) for name in _STANDARD)


def refuse_missing(endpoint: str | None) -> None:
    """Raises NotInstalled."""
    if wanted(endpoint) and not _installed():
        raise NotInstalled("traces are configured, but not installed: pip install 'activities[telemetry]'")


def _installed() -> bool:
    try:
        return find_spec("opentelemetry.sdk") is not None and find_spec(_EXPORTER) is not None
    except ModuleNotFoundError:  # not even what they are part of
        return False


def start(process: str, endpoint: str | None) -> None:
    """Record spans from now on, if they are wanted. `process` is the part this process plays."""
    global spans
    if wanted(endpoint):
        refuse_missing(endpoint)
        from application.spans import exporting

        spans = exporting(process, endpoint)
