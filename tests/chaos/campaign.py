"""Writers, faults in rounds, and the verdict."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg

from chaos.arena import ORGANIZATION, PATIENCE, Arena
from chaos.checker import Broken, Violation, check
from chaos.evidence import drift_of, log_of
from chaos.faults import Fault, each_second
from chaos.history import Command, Outcome, Recorder, load
from chaos.writer import Writer
from projections.read_models import READ_MODELS

WRITERS = 8
HOT = 4

_BEHIND = """
select count(*) from activities.heads h cross join unnest(%s::text[]) m(name)
 where h.position > coalesce((select c.position from activities.cursors c
                               where c.organization_id = h.organization_id and c.read_model = m.name), 0)
"""


@dataclass(slots=True)
class Campaign:
    """What was done and seen. `outages` are seconds from each fault until the service was ready again."""

    seed: int
    history: Path
    struck: Counter[str] = field(default_factory=Counter)
    outages: list[float] = field(default_factory=list)
    events: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reads: int = 0
    stale_and_said_so: int = 0
    violations: list[Violation] = field(default_factory=list)

    def of(self, *kinds: Broken) -> list[Violation]:
        return [violation for violation in self.violations if violation.broken in kinds]

    @property
    def lost(self) -> int:
        return len(self.of(Broken.LOST))

    @property
    def duplicated(self) -> int:
        return len(self.of(Broken.DUPLICATED))


@contextmanager
def writing(arena: Arena, seed: int, recorder: Recorder) -> Iterator[list[Writer]]:
    """Writers at work for the length of a block."""
    hot = _prepare(arena, recorder)
    writers = [
        Writer(n, seed, arena.line(f"u-{n}"), arena.line(f"u-{n}", keep_alive=False), hot, recorder)
        for n in range(WRITERS)
    ]
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(writer: Writer) -> None:
        try:
            writer.run(stop)
        except BaseException as failure:
            failures.append(failure)
            raise

    threads = [threading.Thread(target=work, args=(writer,), name=f"writer {writer.number}") for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not failures, f"a writer broke off: {failures}"


def strike(
    arena: Arena,
    faults: Sequence[tuple[str, Fault]],
    campaign: Campaign,
    writers: Sequence[Writer],
    recorder: Recorder,
    told: Callable[[str], None] = lambda what: None,
) -> None:
    """One fault after the other, each under load and until everybody is served again."""
    chance = Random(f"{campaign.seed} faults")
    for name, fault in faults:
        time.sleep(chance.uniform(0.2, 0.8))  # under load: this is how much is written between two faults
        began = time.monotonic()
        recorder.fault(name, began)
        fault(arena, chance)
        _await_service(arena, writers)
        campaign.struck[name] += 1
        campaign.outages.append(time.monotonic() - began)
        told(f"{name}: {campaign.outages[-1]:.1f} s")


def judge(arena: Arena, campaign: Campaign) -> Campaign:
    """Once all is quiet: the histories against the log and the tables."""
    _settle(arena.dsn)
    history, log = load(campaign.history), log_of(arena.dsn, ORGANIZATION)
    campaign.events = len(log)
    campaign.outcomes = Counter(command.outcome for command in history.commands.values())
    campaign.reads = len(history.reads)
    campaign.stale_and_said_so = sum(read.behind > 0 for read in history.reads)
    campaign.violations = check(history, log, drift_of(arena.dsn))
    return campaign


def run(
    arena: Arena,
    seed: int,
    faults: Sequence[tuple[str, Fault]],
    keep: Path,
    told: Callable[[str], None] = lambda what: None,
    meanwhile: Fault | None = None,
) -> Campaign:
    """The whole of it, on an arena that is ready; the history is written to the folder `keep`.

    The fault `meanwhile` strikes each second beside the others.
    """
    campaign = Campaign(seed, keep / f"history-{seed}.jsonl")
    beside = nullcontext() if meanwhile is None else each_second(meanwhile, arena, Random(f"{seed} meanwhile"))
    with Recorder(campaign.history) as recorder, writing(arena, seed, recorder) as writers, beside:
        strike(arena, faults, campaign, writers, recorder, told)
    return judge(arena, campaign)


def assert_kept(campaign: Campaign) -> None:
    """All promises were kept, and there was something to keep."""
    assert campaign.violations == [], f"seed {campaign.seed}, {campaign.history}"
    assert campaign.events > 50
    assert campaign.reads > 20


def drawn(seed: int, rounds: int, faults: Mapping[str, Fault]) -> list[tuple[str, Fault]]:
    """So many faults by chance, each kind as often as the others, in an order the seed decides."""
    names = [name for _ in range(-(-rounds // len(faults))) for name in faults][:rounds]
    Random(f"{seed} order").shuffle(names)
    return [(name, faults[name]) for name in names]


def _prepare(arena: Arena, recorder: Recorder) -> list[str]:
    """A customer to speak of, and the activities everybody changes; these are in the history, too."""
    line = arena.line("u-0")
    assert line.ask("PUT", "/customers/c-1", {"name": "Customer"}).ok
    hot = []
    for number in range(HOT):
        command = Command(f"hot{number}", 0, "create", began=time.monotonic())
        recorder.invoked(command)
        body = {
            "type": "call",
            "subject": command.token,
            "activityable_type": "customer",
            "activityable_id": "c-1",
        }
        made = line.ask("POST", "/activities", body).body["data"]
        answered = Command(command.token, 0, "create", command.began, time.monotonic(), Outcome.OK, None, made["id"], 1)
        recorder.answered(answered)
        hot.append(str(made["id"]))
    line.close()
    return hot


def _await_service(arena: Arena, writers: Sequence[Writer]) -> None:
    arena.await_ready()
    served = [writer.answered for writer in writers]
    deadline = time.monotonic() + PATIENCE
    while not any(writer.answered > before for writer, before in zip(writers, served, strict=True)):
        assert time.monotonic() < deadline, f"nobody is served: {arena.said()}"
        time.sleep(0.02)


def _settle(dsn: str) -> None:
    """Until the read tables stand where the log ends."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute(_BEHIND, (list(READ_MODELS),)).fetchone() != (0,):
            assert time.monotonic() < deadline, "the read tables do not catch up"
            time.sleep(0.05)
