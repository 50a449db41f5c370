"""A client's connection to the service: kept alive, or new for each request so that any worker may take it."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SURFACE = "/api/v1/crm"
PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; status 0 is none at all."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """A 4xx tells that nothing was recorded."""
        return 400 <= self.status < 500


NOTHING = Reply(0, None, {})


class Line:
    """One user's requests, one after the other. Never raises for what the network does."""

    def __init__(self, port: int, token: str, *, keep_alive: bool = True) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._keep_alive = keep_alive
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Sent once and once only: sending again is for the caller to decide."""
        connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        self._connection = None
        try:
            said = None if body is None else json.dumps(body)
            connection.request(method, SURFACE + path, said, {**self._headers, **(headers or {})})
            answer = connection.getresponse()
            reply = Reply(answer.status, json.loads(answer.read()), {k.lower(): v for k, v in answer.headers.items()})
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            return NOTHING
        if self._keep_alive and not answer.will_close:
            self._connection = connection
        else:
            connection.close()
        return reply

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
