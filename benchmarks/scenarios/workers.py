"""A second worker on the same two cores, where the database and the load generator run, too."""

from benchmarks.load.wrk import Burst, burst
from benchmarks.plan import Plan
from benchmarks.results import Figure, figure
from benchmarks.scenarios.reads import detail
from benchmarks.scenarios.writes import create
from benchmarks.targets.service import Service
from benchmarks.targets.target import Door

CONNECTIONS = 16
_ASKED = {"create": create, "detail": detail}


def workers(service: Service, plan: Plan) -> list[Figure]:
    """Load on one worker and on two of them, in turn."""
    with service.more_workers(2) as second:
        doors = {1: service.door, 2: second}
        return [made for name in _ASKED for made in _measured(service, plan, name, doors)]


def _measured(service: Service, plan: Plan, name: str, doors: dict[int, Door]) -> list[Figure]:
    requests = _ASKED[name](service, plan.seconds)
    bursts: dict[int, list[Burst]] = {count: [] for count in doors}
    for _ in range(plan.rounds):
        for count, door in doors.items():
            service.rest()
            bursts[count].append(burst(door.url, requests, connections=CONNECTIONS, seconds=plan.seconds))
    return [
        figure(f"{name}, {count} worker{'s'[: count - 1]}", service.name, service.main.rows, CONNECTIONS, came)
        for count, came in bursts.items()
    ]
