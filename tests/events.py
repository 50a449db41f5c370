"""Server-sent events as a client reads them, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

STREAM = {"Accept": "text/event-stream"}


@dataclass
class Message:
    id: str | None = None
    event: str = "message"
    data: str = ""
    retry: int | None = None
    comments: list[str] = field(default_factory=list)


def messages(reply: httpx.Response) -> Iterator[Message]:
    """Every message that came whole; one that was cut off was never sent."""
    message = Message()
    for line in reply.iter_lines():
        if not line:
            yield message
            message = Message()
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            message.comments.append(value)
        elif name == "retry":
            message.retry = int(value)
        elif name in ("id", "event", "data"):
            setattr(message, name, value)
