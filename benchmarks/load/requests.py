"""HTTP requests as the bytes that go over the wire, so that the load generator has nothing left to do but send them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.targets.target import SURFACE, Target


class Requests:
    """Requests of one user to one target."""

    def __init__(self, target: Target) -> None:
        self._head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {target.token()}\r\n"

    def get(self, path: str, **parameters: Any) -> bytes:
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        return f"GET {SURFACE}{path}{query} HTTP/1.1\r\n{self._head}\r\n".encode()

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> bytes:
        said = json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(said)}\r\n"
        return f"{method} {SURFACE}{path} HTTP/1.1\r\n{self._head}{kind}\r\n".encode() + said

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        return self.send("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> bytes:
        return self.send("PATCH", path, body)
