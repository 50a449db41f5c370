"""Refusals that are not the domain's: about versions, retries, and the service's own capacity."""

from uuid import UUID

from domain.refusals import Refusal


class StaleVersion(Refusal):
    """The caller decided upon a version that has since been succeeded."""

    code = "stale_version"

    def __init__(self, subject: UUID, expected: int, actual: int) -> None:
        super().__init__(f"The current version is {actual}, not the one of If-Match")
        self.subject = subject
        self.expected = expected
        self.actual = actual


class KeyUsedOtherwise(Refusal):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request")


class Unavailable(Exception):
    """The database could not be reached or was too slow; nothing is known to have been stored."""
