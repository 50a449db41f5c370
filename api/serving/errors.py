"""Why `activities serve` cannot serve, in one line for whoever started it."""


class CannotServe(Exception):
    """The message is the line."""
