"""Nothing personal is logged: what is sent in any field, parameter or header of any route appears in no log.

Every process of the tree logs all it can, into one file; the database's own log is looked through, too.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openapi import Operation, operations
from service import DEFAULT_SCOPES, SECRET, Client, eventually
from world import World

from application.postgres.embedded import EmbeddedPostgres

ACTIVITIES = Path(sys.executable).parent / "activities"
WORD = "Kanarienvogel"
CANARY = f"{WORD} 4711, {WORD}@private.example"
"""No request id: those that look like one are logged as they are, that is what they are for."""
EVERYTHING = (*DEFAULT_SCOPES, "audit:read", "admin")
HEADERS = (
    "Authorization X-API-Key X-Acting-User-ID Idempotency-Key If-Match If-None-Match Prefer X-Request-Id User-Agent "
    "Cookie Accept Content-Type Last-Event-ID Forwarded X-Forwarded-For Traceparent X-Something"
).split()


class Tree:
    """`activities serve` that logs everything, as JSON, into a file."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, home / "logged"
        self.dsn = ""
        env = {name: value for name, value in os.environ.items() if not name.startswith("ACTIVITIES_")}
        env |= {
            "ACTIVITIES_DATA_DIR": str(home),
            "ACTIVITIES_JWT_SECRET": SECRET,
            "ACTIVITIES_LOG_FORMAT": "json",
            "ACTIVITIES_LOG_LEVEL": "debug",
            "ACTIVITIES_LOG_REQUESTS": "true",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [ACTIVITIES, "serve", "--port", "0"], env=env, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said.startswith("ready at "), self.log.read_text()
        self.url = said.removeprefix("ready at ").strip()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @contextmanager
    def client(
        self, organization: str = "acme", user: str = f"{WORD}-user", *, scopes: tuple[str, ...] = EVERYTHING
    ) -> Iterator[Client]:
        """As a Service's, which the world expects."""
        service: Any = self
        with Client(service, organization, user, scopes) as client:
            yield client


@pytest.fixture
def tree() -> Iterator[Tree]:
    home = Path(tempfile.mkdtemp(prefix="activities-canary-"))
    tree = Tree(home)
    try:
        yield tree
    finally:
        if tree.process.poll() is None:
            tree.stop()
        shutil.rmtree(home, ignore_errors=True)


def everywhere(world: World, operation: Operation) -> None:
    """Ask with the canary in each place in turn, then in all that take any text at once."""
    example = world.body(next(iter(operation.bodies.values()), None))
    path, own = world.path(operation), world.headers(operation.path)

    def ask(body: Any = example, path: str = path, **more: Any) -> None:
        headers = {**own, **more.pop("headers", {})}
        world.client.call(operation.method.upper(), f"{world.client.service.url}{path}", body, headers=headers, **more)

    ask({**(example or {}), "subject": CANARY, "name": CANARY, "description": CANARY} if example else None)
    for field in example or ():
        ask({**example, field: CANARY})
        ask({**example, field: {CANARY: [CANARY]}})
    ask({CANARY: CANARY})
    ask(content=f'{{"subject": "{CANARY}'.encode(), body=None, headers={"Content-Type": "application/json"})
    for parameter in operation.parameters:
        if parameter["in"] == "query":
            ask(params={parameter["name"]: CANARY})
    ask(params={CANARY: CANARY, "q": CANARY})
    for header in HEADERS:
        value = f"Bearer {CANARY}" if header == "Authorization" else CANARY
        ask(headers={header: value})
    if "{" in operation.path:
        for name in world.places(operation.id, operation.path):
            there = world.places(operation.id, operation.path) | {name: CANARY}
            ask(path=operation.path.format(**there))


@contextmanager
def broken(dsn: str, *statements: str) -> Iterator[None]:
    """Statements of the service fail, and the database says with which values."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set search_path = activities, public")
        for statement in statements:
            connection.execute(statement)
        yield
        for statement in statements:
            connection.execute(undone(statement))


def undone(statement: str) -> str:
    _, _, table, *_, name = statement.removesuffix(" check (false) not valid").split()
    return f"alter table {table} drop constraint {name}"


def refuse(table: str) -> str:
    return f"alter table {table} add constraint refusing check (false) not valid"


@pytest.mark.timeout(240)
def test_what_is_sent_anywhere_appears_in_no_log(tree: Tree) -> None:
    with EmbeddedPostgres(tree.home) as server, tree.client() as client:
        tree.dsn = server.dsn()
        world = World(client)
        for operation in operations():
            everywhere(world, operation)
        call = client.create(subject=CANARY, activityable_id="acme")
        provoke_failures(client, tree.dsn)
        lose_the_database(client, server)
        client.ok("PATCH", f"/activities/{call['id']}", {"description": CANARY})
        client.rows()
    tree.stop()

    entries = tree.entries()
    assert {"serve", "worker", "projector"} <= {entry["process"] for entry in entries}
    requests = [entry for entry in entries if entry["event"] == "request"]
    assert {200, 201, 400, 401, 404, 422, 500, 503} <= {entry["status"] for entry in requests}
    assert all(entry["request_id"] for entry in requests)
    assert "acme" in {entry.get("organization") for entry in requests}
    failures = [entry for entry in entries if "failure" in entry]
    assert any("CheckViolation" in entry["failure"] and entry["request_id"] for entry in failures)
    for log in (tree.log, tree.home / "postgres" / "log"):
        text = log.read_text(errors="replace")
        assert text
        assert [line for line in text.splitlines() if WORD.lower() in line.lower()] == []
        assert SECRET not in text


def provoke_failures(client: Client, dsn: str) -> None:
    """500s, of writing and of reading, and a stream no table can hold."""
    with broken(dsn, refuse("events")):
        assert client.call("POST", "/activities", a_call()).status_code == 500
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("alter table activities.activity_search rename column words to gone")
        assert client.call("GET", "/activities/search", params={"q": CANARY}).status_code == 500
        connection.execute("alter table activities.activity_search rename column gone to words")
    with broken(dsn, refuse("activity_list")), psycopg.connect(dsn, autocommit=True) as connection:
        assert client.call("POST", "/activities", a_call()).status_code == 201
        parked = "select 1 from activities.parked"
        eventually(lambda: connection.execute(parked).fetchone() is not None, 20, "it is parked")


def lose_the_database(client: Client, server: EmbeddedPostgres) -> None:
    """For longer than anybody waits for it; then the server itself is killed."""
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("alter database activities allow_connections false")
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'activities'")
        assert client.call("POST", "/activities", a_call()).status_code == 503
        assert client.call("GET", "/activities", params={"search": WORD}).status_code == 503
        connection.execute("alter database activities allow_connections true")
    postmaster = server.pid
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    eventually(lambda: client.call("POST", "/activities", a_call()).status_code == 201, 40, "the service is back")


def a_call() -> dict[str, Any]:
    return {"type": "call", "subject": CANARY, "activityable_type": "customer", "activityable_id": "acme"}
