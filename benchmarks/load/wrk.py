"""One burst of load. Anything but a 2xx fails it, loudly, with the answer that was given instead."""

import http.client
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("burst.lua")
_MISSING = (
    "wrk is not installed, and it is what makes the load here. On Debian and Ubuntu: apt-get install wrk; "
    "on macOS: brew install wrk; elsewhere: https://github.com/wg/wrk"
)
_MOST_PROBED = 500


class LoadFailed(Exception):
    """The load was not answered as it must be."""


class Unanswered(LoadFailed):
    """Nothing was answered within the time: the question may take longer."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of it: answers a second, and latencies in milliseconds."""

    seconds: float
    requests: int
    p50: float
    p95: float
    p99: float
    mean: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def find_wrk() -> str:
    """Where wrk is. Raises LoadFailed with how to get it."""
    if (found := shutil.which("wrk")) is None:
        raise LoadFailed(_MISSING)
    return found


def burst(
    url: str,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: int,
    once: bool = False,
    pause: int = 0,
) -> Burst:
    """Send the requests in order, over again (unless each is for `once`), until the time is over.

    Each connection waits for its answer and then, on average, for `pause` milliseconds.
    """
    with tempfile.NamedTemporaryFile(prefix="activities-requests-") as file:
        file.write(b"\0".join(requests))
        file.flush()
        load = ("-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT))
        ran = subprocess.run(
            [find_wrk(), *load, url],
            env={**os.environ, "REQUESTS": file.name, "PAUSE": str(pause)},
            capture_output=True,
            text=True,
            check=False,
        )
    return _result(ran, url, requests, connections if once else None)


def _result(ran: subprocess.CompletedProcess[str], url: str, requests: Sequence[bytes], once: int | None) -> Burst:
    line = next((line for line in ran.stdout.splitlines() if line.startswith("RESULT ")), None)
    if ran.returncode or line is None:
        raise LoadFailed(f"wrk failed: {ran.stderr or ran.stdout}")
    result = json.loads(line.removeprefix("RESULT "))
    refused, broken = result.pop("refused"), result.pop("broken")
    if once is not None and result["requests"] + once >= len(requests):
        raise LoadFailed(f"{len(requests)} requests that can be made once were too few")
    if not result["requests"]:
        first = requests[0].partition(b"\r\n")[0].decode(errors="replace")
        raise Unanswered(f"nothing was answered in {result['seconds']:.0f} seconds; the first question was {first}")
    if refused or broken:
        raise LoadFailed(
            f"{refused} answers of {result['requests']} were not 2xx, {broken} requests broke; "
            f"such as:\n{_example(url, requests)}"
        )
    return Burst(**result)


def _example(url: str, requests: Sequence[bytes]) -> str:
    """The first request that is refused when asked again, with its answer."""
    host = url.removeprefix("http://")
    for request in requests[:_MOST_PROBED]:
        try:
            status, said = ask(host, request)
        except (OSError, http.client.HTTPException) as error:
            return f"{request.decode(errors='replace')}\n-> no answer: {error!r}"
        if not 200 <= status < 300:
            return f"{request.decode(errors='replace')}\n-> {status} {said.decode(errors='replace')[:2000]}"
    return "(none of them is refused when asked again)"


def ask(host: str, request: bytes) -> tuple[int, bytes]:
    """Send one request as it is; its status and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    connection = http.client.HTTPConnection(host, timeout=15)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
