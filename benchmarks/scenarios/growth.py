"""What changes from ten thousand activities to a million: one caller's latencies, the sizes side by side."""

from dataclasses import replace

from benchmarks.scenarios.reads import READS, deep_filter, page_200
from benchmarks.scenarios.scenario import Scenario
from benchmarks.scenarios.writes import CREATE

_PEERS = ("service", "crud")
MORE = (
    Scenario("page-200", "list, page 200", _PEERS, page_200),
    Scenario("deep-filter", "list by type, status, assignee and tag", _PEERS, deep_filter),
)

GROWTH = tuple(
    replace(scenario, name=f"{scenario.name}, growing", targets=_PEERS, connections=1)
    for scenario in (*READS, *MORE, CREATE)
)
