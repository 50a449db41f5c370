"""The load: as fast as it goes, to find out how fast that is; then at a steady rate, whatever the answers do."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from benchmarks.soak.client import Client
from benchmarks.soak.mix import Mix, Request

_MOST_EXAMPLES = 20


@dataclass(slots=True)
class Answers:
    """Latencies in milliseconds by kind of request, from the moment each was due; and what was not a 2xx."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(map(len, self.latencies.values()))


class Load:
    def __init__(self, port: int, mix: Mix) -> None:
        self._client, self._mix = Client(port), mix

    async def at_full_speed(self, connections: int, seconds: float) -> Answers:
        """Each connection asks as soon as it is answered."""
        answers, until = Answers(), time.perf_counter() + seconds

        async def one() -> None:
            while time.perf_counter() < until:
                await self._ask(self._mix.next(), time.perf_counter(), answers)

        await asyncio.gather(*(one() for _ in range(connections)))
        return answers

    async def at_rate(self, rate: float, seconds: float, told: Callable[[Answers], None]) -> Answers:
        """So many a second, at random moments, as strangers come; late answers do not hold the next one up."""
        answers, chance, under_way = Answers(), Random(1), set[asyncio.Task[None]]()  # noqa: S311
        due = began = time.perf_counter()
        while due < began + seconds:
            due += chance.expovariate(rate)
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(self._ask(self._mix.next(), due, answers))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            told(answers)
        await asyncio.gather(*under_way)
        return answers

    def close(self) -> None:
        self._client.close()

    async def _ask(self, request: Request, due: float, answers: Answers) -> None:
        reply = await self._client.ask(request.said)
        answers.latencies[request.kind].append((time.perf_counter() - due) * 1e3)
        if 200 <= reply.status < 300:
            request.answered(reply.body)
            return
        answers.errors[f"{request.kind}: {reply.status or 'no answer'}"] += 1
        if len(answers.examples) < _MOST_EXAMPLES:
            answers.examples.append(f"{request.kind}: {reply.status} {reply.body[:500].decode(errors='replace')}")
