"""Refusals that are not the domain's: about versions, retries, and the service's own capacity."""

from domain.refusals import Refusal


class StaleVersion(Refusal):
    """The caller decided upon a version that has since been succeeded."""

    code = "stale_version"

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"Expected version {expected}, but the current version is {actual}")
        self.expected = expected
        self.actual = actual


class KeyUsedOtherwise(Refusal):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request")


class Unavailable(Exception):
    """The database could not be reached or was too slow; nothing is known to have been stored."""
