"""Asking a target one thing and looking at the answer."""

import json
from typing import Any

from benchmarks.load.wrk import LoadFailed, ask
from benchmarks.targets.target import Target

Json = dict[str, Any]


def answer(target: Target, request: bytes) -> Json:
    """The answer's JSON. Raises LoadFailed unless it was 2xx."""
    status, body = ask(target.door.url.removeprefix("http://"), request)
    if not 200 <= status < 300:
        said = body.decode(errors="replace")[:2000]
        raise LoadFailed(f"{target.name} answered {status} to\n{request.decode(errors='replace')}\n{said}")
    found: Json = json.loads(body)
    return found
