"""What operators see: what was asked, what became of it, and where the read models stand. Never whose it was."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from service import Client, Service, eventually

from api.http.metrics import SHARED, forget


def measured(service: Service) -> dict[str, float]:
    """All values: any worker tells what all have counted."""
    text = httpx.get(f"{service.url}/metrics").text
    found = re.findall(r"^(activities_\S+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_commands_are_counted_by_what_became_of_them(client: Client) -> None:
    call = client.create()
    client.act(call, "complete", outcome="Done")
    assert client.call("POST", f"/activities/{call['id']}/cancel").status_code == 409

    seen = measured(client.service)

    assert seen['activities_commands_total{command="CompleteActivity",outcome="ok"}'] >= 1
    assert seen['activities_commands_total{command="CancelActivity",outcome="action_not_allowed"}'] >= 1
    assert seen["activities_batch_size_count"] >= 1


def test_requests_are_counted_by_route_and_no_id_is_told(client: Client) -> None:
    call = client.create()
    client.get(call)
    httpx.get(f"{client.service.url}/nowhere/{call['id']}")

    text = httpx.get(f"{client.service.url}/metrics").text

    assert 'method="GET",route="/api/v1/crm/activities/{activity_id}",status="200"' in text
    assert 'method="none",route="none",status="404"' in text
    assert call["id"] not in text
    assert client.organization not in text


def test_readiness_says_degraded_while_an_activity_is_parked(client: Client) -> None:
    def ready() -> httpx.Response:
        return httpx.get(f"{client.service.url}/health/ready")

    with psycopg.connect(client.service.dsn, autocommit=True) as connection:
        connection.execute(
            "insert into activities.parked (organization_id, originator_id, position, topic, reason)"
            " values (%s, gen_random_uuid(), 1, 'x', 'planted')",
            (client.organization,),
        )
        try:
            eventually(lambda: "parked" in ready().json(), 10, "degraded")
            assert ready().json()["status"] == "degraded"
            assert ready().status_code == 200
            assert measured(client.service)["activities_parked_streams"] >= 1
        finally:
            connection.execute("delete from activities.parked where organization_id = %s", (client.organization,))
    eventually(lambda: "parked" not in ready().json(), 10, "no more parked")


def test_a_dead_worker_s_moment_is_forgotten_and_what_it_counted_is_not(tmp_path: Path) -> None:
    script = (
        "import os; from api.http import metrics, sampling;"
        "sampling.POOL.set(5); sampling.POOL_REFUSED.inc(3); print(os.getpid())"
    )
    env = {**os.environ, SHARED: str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert "activities_pool_connections 5.0" in exposed_by(tmp_path)

    forget(str(tmp_path), int(told.stdout))

    assert "activities_pool_connections 5.0" not in exposed_by(tmp_path)
    assert "activities_pool_refused_total 3.0" in exposed_by(tmp_path)


def exposed_by(shared: Path) -> str:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(shared))
    return generate_latest(registry).decode()
