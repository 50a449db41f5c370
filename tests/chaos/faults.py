"""What can go wrong, each as one function that does it to an arena and comes back once the service should recover."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from random import Random

import psycopg

from chaos.arena import Arena, kill
from projections.read_models import READ_MODELS
from projections.rebuild import Rebuild

Fault = Callable[[Arena, Random], None]


def kill_worker(arena: Arena, chance: Random) -> None:
    kill(chance.choice(arena.members("worker")))


def kill_projector(arena: Arena, chance: Random) -> None:
    kill(chance.choice(arena.members("projector" if arena.planted else "projections")))


def kill_postgres(arena: Arena, chance: Random) -> None:
    kill(arena.postmaster())


def kill_everything(arena: Arena, chance: Random) -> None:
    arena.kill_everything()
    arena.start()


def kill_parent(arena: Arena, chance: Random) -> None:
    arena.kill_parent()
    arena.start()


def terminate_backends(arena: Arena, chance: Random) -> None:
    """Every connection of the service is gone at once."""
    with suppress(psycopg.OperationalError), psycopg.connect(arena.dsn, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'activities_%' and pid <> pg_backend_pid()"
        )


def jump_clock(arena: Arena, chance: Random) -> None:
    """Hours forth or back, as machines do that were asleep, or whose battery was empty."""
    arena.clock.write_text(str(chance.choice((-86_400, -3_600, -60, -1, 0, 1, 60, 3_600))))


def rebuild(arena: Arena, chance: Random) -> None:
    """A read table is built anew and switched while everybody works. A fault beside it may break it off."""
    with suppress(psycopg.OperationalError):
        Rebuild(arena.dsn, READ_MODELS[chance.choice(sorted(READ_MODELS))]).run(lambda events: None)


def nothing(arena: Arena, chance: Random) -> None:
    """A second of mere load."""
    time.sleep(1.0)


KILLS: Mapping[str, Fault] = {
    "worker": kill_worker,
    "projector": kill_projector,
    "PostgreSQL": kill_postgres,
    "everything": kill_everything,
    "parent": kill_parent,
}
OTHERS: Mapping[str, Fault] = {
    "backends": terminate_backends,
    "clock": jump_clock,
    "rebuild": rebuild,
}


@contextmanager
def each_second(fault: Fault, arena: Arena, chance: Random) -> Iterator[None]:
    """The fault again and again, for the length of a block."""
    stop = threading.Event()

    def strike() -> None:
        while not stop.wait(1.0):
            fault(arena, chance)

    thread = threading.Thread(target=strike, name="each second")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
