"""The dashboard that comes along shows what the service really tells, and so does `activities status`."""

import json
import os
import re
import subprocess
import sys
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from service import Client, eventually
from test_metrics import measured

from api.commands.measured import Between, Measured
from api.commands.status import lines_of, panel_of

ACTIVITIES = Path(sys.executable).parent / "activities"
DASHBOARD: dict[str, Any] = json.loads((Path(__file__).parents[2] / "api" / "operating" / "grafana.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def exposed(client: Client) -> dict[str, set[str]]:
    """The labels of everything any worker exposes, by name."""
    client.act(client.create(), "complete", outcome="Done")
    client.rows()
    found: dict[str, set[str]] = {}
    for _ in range(12):
        for family in text_string_to_metric_families(httpx.get(f"{client.service.url}/metrics").text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_and_label_of_the_dashboard_is_exposed(client: Client) -> None:
    known = exposed(client)
    asked = [target["expr"] for panel in PANELS for target in panel["targets"]]
    assert len(asked) > 20
    for expr in asked:
        names = re.findall(r"\b(activities_\w+)", expr)
        assert names and set(names) <= known.keys(), expr
        labels = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expr)) - {"job"}
        for grouped in re.findall(r"by \(([^)]*)\)", expr):
            labels |= {label.strip() for label in grouped.split(",")}
        assert all(labels <= known[name] for name in names), expr


def test_everything_the_service_measures_is_on_the_dashboard(client: Client) -> None:
    shown = json.dumps(PANELS)
    families = {
        re.sub(r"_(total|bucket|count|sum|created)$", "", n) for n in exposed(client) if n.startswith("activities")
    }
    assert [name for name in sorted(families) if name not in shown] == []


def test_its_panels_are_well_formed_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["title"] and panel["fieldConfig"]["defaults"]["unit"]
    for one, other in combinations([panel["gridPos"] for panel in DASHBOARD["panels"]], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    for name in ("datasource", "job"):
        assert name in [variable["name"] for variable in DASHBOARD["templating"]["list"]]


def test_requests_are_timed_by_route_and_the_pool_is_told(client: Client) -> None:
    client.rows()
    seen = measured(client.service)
    assert seen['activities_http_request_seconds_count{method="GET",route="/api/v1/crm/activities"}'] >= 1
    pooled = "its connections are sampled, once a second"
    eventually(lambda: measured(client.service)["activities_pool_connections"] >= 1, 20, pooled)
    assert seen["activities_database_up"] == 1


def status(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ACTIVITIES, "status", *arguments], env={**os.environ}, capture_output=True, text=True, timeout=60
    )


def test_status_looks_once_and_tells_in_plain_lines(client: Client) -> None:
    client.create()
    done = status("--once", "--url", client.service.url)
    assert done.returncode == 0, done.stderr
    told = dict(line.strip().split(": ", 1) for line in done.stdout.splitlines())
    assert told["service"] == f"ready at {client.service.url}"
    assert told["parked"] == "0 streams"
    assert told["database"] == "answers"
    assert told["activity_list"].endswith("positions behind")
    assert "\x1b" not in done.stdout


def test_status_of_nothing_ends_with_code_1() -> None:
    done = status("--once", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stdout.startswith("service: does not answer (ConnectError)")


def test_between_two_looks_only_what_happened_meanwhile_counts() -> None:
    def look(at: float, fast: float, slow: float, seconds: float) -> Measured:
        buckets = [({"le": "0.1"}, fast), ({"le": "1.0"}, fast + slow), ({"le": "+Inf"}, fast + slow)]
        return Measured(at, "ready", {"t_bucket": buckets, "t_count": [({}, fast + slow)], "t_sum": [({}, seconds)]})

    before, now = look(10.0, 100, 0, 5), look(12.0, 100, 10, 10)

    seen = Between(before, now)
    assert (seen.seconds, seen.count("t_count"), seen.mean("t")) == (2.0, 10, 0.5)
    assert seen.quantile("t", 0.5) == 1.0
    assert Between(None, now).quantile("t", 0.5) == 0.1
    assert Between(now, now).quantile("t", 0.5) is None


@pytest.mark.parametrize("ready", ["ready", "degraded"])
def test_the_panel_of_a_terminal_says_the_same_as_the_lines(ready: str) -> None:
    values = {"activities_http_requests_total": [({"status": "200"}, 7.0)], "activities_parked_streams": [({}, 2.0)]}
    seen = Between(None, Measured(1.0, ready, values))
    console = Console(width=160, record=True, file=StringIO(), force_terminal=True)
    console.print(panel_of("http://here", seen))
    shown = console.export_text()
    for name, value in lines_of("http://here", seen):
        assert name.strip() in shown and value in shown
    assert "200 7" in shown and "2 streams" in shown
