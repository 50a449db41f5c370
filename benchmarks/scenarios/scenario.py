"""A scenario: the same requests to several targets in turn, round after round."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.load.wrk import Burst, Unanswered, burst
from benchmarks.plan import Plan
from benchmarks.results import Figure, figure
from benchmarks.scenarios.selfcheck import Implausible
from benchmarks.targets.target import Target

Making = Callable[[Target, int], Sequence[bytes]]
"""Makes the requests for a burst of so many seconds."""
LONGER = 30
"""Seconds in which even a question that a burst is too short for is answered."""


@dataclass(frozen=True)
class Scenario:
    """`once`: each request can be made only once, so new ones are made for each burst."""

    name: str
    title: str
    targets: tuple[str, ...]
    making: Making
    connections: int = 16
    writes: bool = False
    once: bool = False


class Measuring:
    """The rounds of one scenario. `targets` may hold one target several times, under other labels."""

    def __init__(self, scenario: Scenario, targets: Mapping[str, Target], plan: Plan) -> None:
        self._scenario, self._targets, self._plan = scenario, targets, plan
        self._requests: dict[str, Sequence[bytes]] = {}
        self._behind = dict.fromkeys(targets, 0)
        self._costs: dict[str, list[dict[str, float]]] = {label: [] for label in targets}

    def figures(self) -> list[Figure]:
        """Warm up, then let the targets take turns, each round beginning with another one."""
        labels = list(self._targets)
        bursts: dict[str, list[Burst]] = {label: [] for label in labels}
        for label in labels:
            self._burst(label, 1)
            self._costs[label].clear()
        for number in range(self._plan.rounds):
            first = number % len(labels)
            for label in labels[first:] + labels[:first]:
                bursts[label].append(self._burst(label, self._plan.seconds))
        return [self._figure(label, bursts[label]) for label in labels]

    def _burst(self, label: str, seconds: int) -> Burst:
        target, scenario = self._targets[label], self._scenario
        if scenario.once or label not in self._requests:
            self._requests[label] = scenario.making(target, seconds)
        if scenario.writes:
            target.rest()
        recorded, before = target.recorded(), target.processor_seconds()
        came_of_it = self._sent(target, self._requests[label], seconds)
        used = {name: after - before[name] for name, after in target.processor_seconds().items()}
        self._costs[label].append({name: one / came_of_it.requests * 1e6 for name, one in used.items()})
        if scenario.writes:
            self._check(target, target.recorded() - recorded, came_of_it.requests)
            self._behind[label] = max(self._behind[label], target.settle())
        return came_of_it

    def _check(self, target: Target, recorded: int, answered: int) -> None:
        """A command that changes nothing costs next to nothing, and would be no measure of one that does."""
        if target.has_database and recorded < answered:
            what = f"{target.name}, {self._scenario.title}"
            raise Implausible(f"{what}: {answered} commands were acknowledged, but only {recorded} changes recorded")

    def _sent(self, target: Target, requests: Sequence[bytes], seconds: int) -> Burst:
        """A question that takes longer than a burst is asked once more, for longer."""
        send = partial(burst, target.door.url, requests, connections=self._scenario.connections)
        try:
            return send(seconds=seconds, once=self._scenario.once)
        except Unanswered:
            if self._scenario.writes:
                raise
            return send(seconds=LONGER)
        finally:
            target.crew.check()  # that a process died says more than that its answers failed

    def _figure(self, label: str, bursts: Sequence[Burst]) -> Figure:
        scenario, target = self._scenario, self._targets[label]
        of = (scenario.name, target.name, target.main.rows, scenario.connections)
        return figure(*of, bursts, self._behind[label], self._costs[label])
