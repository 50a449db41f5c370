"""What changes from ten thousand activities to a million: one caller's latencies, the sizes side by side."""

from dataclasses import replace

from benchmarks.scenarios.reads import READS, deep_filter, overdue_by_priority, page_200
from benchmarks.scenarios.scenario import Scenario
from benchmarks.scenarios.writes import CREATE

_PEERS = ("service", "crud")
MORE = (
    Scenario("overdue", "what is overdue, of all and by priority", _PEERS, overdue_by_priority),
    Scenario("page-200", "list, page 200", _PEERS, page_200),
    Scenario("deep-filter", "list by type, status, assignee and tag", _PEERS, deep_filter),
)


def _told_apart(scenario: Scenario) -> Scenario:
    """What is overdue of one user is another question where there is more of it: shown, but not by what it grew."""
    return replace(scenario, name="overdue-mine") if scenario.name == "overdue" else scenario


GROWTH = tuple(
    replace(scenario, name=f"{scenario.name}, growing", targets=_PEERS, connections=1)
    for scenario in (*map(_told_apart, READS), *MORE, CREATE)
)
