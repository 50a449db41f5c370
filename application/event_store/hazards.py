"""Settings of the eventsourcing library that lose events, refused at start."""

from collections.abc import Mapping

_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
_OFF = {"", "n", "no", "f", "false", "off", "0"}


class UnsafeSetting(Exception):
    """A setting under which the log could lose events."""


def refuse_unsafe_settings(environ: Mapping[str, str]) -> None:
    """Raises UnsafeSetting where the library's lock-free insert function is switched on, under any prefix.

    A reader that tails a log written through it misses events (5 of 2,907, measured with 9.5.6).
    """
    for name, value in environ.items():
        if name.endswith(_FUNCTIONS) and value.strip().lower() not in _OFF:
            raise UnsafeSetting(f"{name}={value} makes readers of the log lose events: unset it")
