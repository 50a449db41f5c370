"""An identity provider for tests: it has keys, lists the public ones over HTTP, and signs tokens."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import algorithms

_BY_ALGORITHM: dict[str, tuple[Any, type[Any]]] = {
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), algorithms.RSAAlgorithm),
    "PS256": (lambda: rsa.generate_private_key(65537, 2048), algorithms.RSAAlgorithm),
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, algorithms.OKPAlgorithm),
}


class SigningKey:
    def __init__(self, id: str, algorithm: str = "ES256", private: Any = None) -> None:
        make, kind = _BY_ALGORITHM[algorithm]
        self.id, self.algorithm = id, algorithm
        self.private = private or make()
        self.listed: dict[str, Any] = json.loads(kind.to_jwk(self.private.public_key())) | {"kid": id}

    def token(self, *, algorithm: str | None = None, headers: Any = None, named: bool = True, **claims: Any) -> str:
        said = {"sub": "u-1", "org": "acme", "scopes": ["activities:read"], "exp": int(time.time()) + 600} | claims
        name = {"kid": self.id} if named else {}
        return jwt.encode(said, self.private, algorithm or self.algorithm, name | (headers or {}))


class Provider:
    """`keys` is what it lists, `asked` how often somebody asked; `body`, `status` and `delay` are how it misbehaves."""

    def __init__(self, *keys: SigningKey) -> None:
        self.url = ""
        self.asked = 0
        self.status, self.delay = 200, 0.0
        self.body: bytes | None = None
        self.lists(*keys)

    def lists(self, *keys: SigningKey) -> None:
        self.keys = [key.listed for key in keys]

    @contextmanager
    def listening(self) -> Iterator["Provider"]:
        provider = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                time.sleep(provider.delay)
                body = provider.body or json.dumps({"keys": provider.keys}).encode()
                self.send_response(provider.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_port}/keys"
            yield self
            server.shutdown()
            thread.join()
