"""Asks the service whether it is ready, until it is, and says so once."""

import http.client
import ssl
import time
from collections.abc import Callable

from api.serving.errors import CannotServe

_PATH = "/health/ready"
_ANSWER_SECONDS = 1.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # asked here, not bound  # noqa: S104  # nosec B104


class Readiness:
    """A chore for the supervisor: `announce` is called at the first 200.

    Raises CannotServe when a child keeps dying before that, or after `seconds`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        announce: Callable[[], None],
        hopeless: Callable[[], str | None],
        seconds: float = 60.0,
        tls: bool = False,
    ) -> None:
        self._host, self._port = _EVERYWHERE.get(host, host), port
        self._tls = tls
        self._announce, self._hopeless = announce, hopeless
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._announced = False

    def __call__(self) -> None:
        if self._announced:
            return
        if why := self._hopeless():
            raise CannotServe(f"{why}; what it said is above")
        answer = self._ask()
        if answer is None:
            self._announced = True
            self._announce()
        elif time.monotonic() > self._deadline:
            raise CannotServe(f"not ready within {self._seconds:g} s: {answer}")

    def _connection(self) -> http.client.HTTPConnection:
        """Asked by its address, our own worker has a certificate for another name: any will do."""
        if not self._tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS)
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(self._host, self._port, timeout=_ANSWER_SECONDS, context=trusting)

    def _ask(self) -> str | None:
        """None when ready, else what is in the way."""
        connection = self._connection()
        try:
            connection.request("GET", _PATH)
            response = connection.getresponse()
            if response.status == http.client.OK:
                return None
            return f"{response.status} {response.read(500).decode(errors='replace')}"
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
