"""The real service for tests: API workers on one socket, one projector, a database of their own, HTTP from outside."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import psycopg

from api.http.metrics import SHARED as METRICS
from api.http.tokens import DEFAULT_SCOPES, issue
from api.serving.environment import module_path
from application.event_store.mapper import advance, decode
from application.event_store.reading import learn
from application.postgres.embedded import EmbeddedPostgres
from projections.folding import Step

SECRET = "a secret of the tests, long enough for HS256"
SURFACE = "/api/v1/crm"
PATIENCE = 60.0
GRACE = 15.0

Json = dict[str, Any]


FROM_THE_FUTURE = "activity.from_the_future.v9"


class Service:
    """Processes that serve a migrated database. Use as a context; `died` says whether all of them lived on."""

    def __init__(self, dsn: str, *, workers: int = 2, signer: bool = False, **settings: str) -> None:
        self.dsn = dsn
        self._workers = workers
        self._signer = signer
        self._settings = settings
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="activities-service-")))
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
            listener.set_inheritable(True)
            self._listener = listener
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            stack.callback(self._stop)
            for number in range(1, self._workers + 1):
                self._start(f"worker {number}", "api.worker", listener)
            self._start("projector", "projections")
            if self._signer:
                self._start("signer", "projections.signing")
            self.await_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        died = self.died()
        self._stack.close()
        assert not died, f"during the tests died: {died}"

    def died(self) -> dict[str, str]:
        """The processes that ended by themselves, with the last they said."""
        return {name: self._said(name) for name, p in self._processes.items() if p.poll() is not None}

    def said(self) -> str:
        """What all processes have logged so far."""
        return "".join(self._said(name) for name in self._processes)

    def pepper(self) -> str:
        """What API keys are recognised with here."""
        return (self._folder / "api-key-pepper").read_text()

    @contextmanager
    def client(
        self,
        organization: str | None = None,
        user: str = "u-1",
        *,
        scopes: tuple[str, ...] = DEFAULT_SCOPES,
        keep_alive: bool = True,
    ) -> Iterator["Client"]:
        """A client of one user; by default of a new organisation, which no other test knows.

        Without keep-alive each request is a new connection, which any worker may take.
        """
        assert not (died := self.died()), f"died already: {died}"
        with Client(self, organization or f"org-{uuid4().hex}", user, scopes, keep_alive=keep_alive) as client:
            yield client

    def kill_worker(self, number: int) -> None:
        """kill -9, and a new one in its place."""
        name = f"worker {number}"
        self._processes[name].kill()
        self._processes[name].wait()
        self._start(name, "api.worker", self._listener)

    def stop_worker(self, number: int) -> float:
        """SIGTERM, and a new one in its place; how many seconds the old one took to end."""
        name, began = f"worker {number}", time.monotonic()
        self._processes[name].send_signal(signal.SIGTERM)
        self._processes[name].wait(GRACE)
        took = time.monotonic() - began
        self._start(name, "api.worker", self._listener)
        return took

    def worked(self) -> dict[str, float]:
        """Seconds each worker has computed so far (where the system tells it)."""
        seconds: dict[str, float] = {}
        for name, process in self._processes.items():
            told = Path(f"/proc/{process.pid}/stat")
            if name.startswith("worker") and told.exists():
                user, system = told.read_text().rpartition(")")[2].split()[11:13]
                seconds[name] = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return seconds

    def _start(self, name: str, module: str, listener: socket.socket | None = None) -> None:
        env = {
            **os.environ,
            **module_path(os.environ),
            **self._settings,
            "ACTIVITIES_DATABASE_URL": self.dsn,
            "ACTIVITIES_DATA_DIR": str(self._folder),
            "ACTIVITIES_JWT_SECRET": SECRET,
            "ACTIVITIES_SIGNER_INTERVAL": "0.2",
        }
        fds: tuple[int, ...] = ()
        if listener is not None:
            fds = (listener.fileno(),)
            env |= {"ACTIVITIES_LISTEN_FD": str(fds[0]), "ACTIVITIES_PORT": str(listener.getsockname()[1])}
            counted = self._folder / "metrics"  # together, as `activities serve` has them count
            counted.mkdir(exist_ok=True)
            env[METRICS] = str(counted)
        with open(self._folder / f"{name}.log", "wb") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module],
                env=env,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_ready(self) -> None:
        """Every worker answers in its turn: ready is when as many answers in a row as there may be are 200."""
        answer = "nothing"
        good = 0
        deadline = time.monotonic() + PATIENCE
        while good < 4 * self._workers:
            if died := self.died():
                raise AssertionError(f"did not start: {died}")
            assert time.monotonic() < deadline, f"not ready within {PATIENCE} s: {answer}"
            try:
                reply = httpx.get(f"{self.url}/health/ready", timeout=5)
                answer = reply.text
                good = good + 1 if reply.status_code == 200 else 0
            except httpx.HTTPError as error:
                answer, good = repr(error), 0
            if not good:
                time.sleep(0.05)

    def _stop(self) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _said(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")[-4000:]


class Client:
    """What one user of one organisation says over HTTP. Paths are relative to surface S."""

    def __init__(
        self,
        service: Service,
        organization: str,
        user: str,
        scopes: tuple[str, ...],
        *,
        keep_alive: bool = True,
    ) -> None:
        self.service = service
        self.organization = organization
        self.user = user
        token = issue(SECRET, organization=organization, user=user, scopes=scopes, ttl=3600, now=time.time())
        self.http = httpx.Client(
            base_url=service.url + SURFACE,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_keepalive_connections=20 if keep_alive else 0),
            timeout=30,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        """The answer, whatever it is. A body of None is no body."""
        if json is not None:
            more["json"] = json
        return self.http.request(method, path, **more)

    def ok(self, method: str, path: str, json: Any = None, **more: Any) -> Json:
        """The whole body of an answer that must be a success."""
        reply = self.call(method, path, json, **more)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        body: Json = reply.json()
        return body

    def records(self) -> None:
        """The directory records the seed's examples speak of, under the seed's own ids."""
        for noun, id_, fields in SEED_RECORDS:
            self.ok("PUT", f"/{noun}/{id_}", fields)

    def record(self, noun: str = "customers", id_: str = "c-1", **fields: Any) -> str:
        """Make sure of a record; its id."""
        self.ok("PUT", f"/{noun}/{id_}", {"name": f"{noun} {id_}", **fields})
        return id_

    def create(self, **fields: Any) -> Json:
        """A new activity, about customer c-1 unless told otherwise (the record must be there)."""
        data: Json = self.ok("POST", "/activities", {**A_CALL, **fields})["data"]
        return data

    def create_in(self, status: str, **fields: Any) -> Json:
        """A new activity that has come as far as `status`, or is deleted."""
        if status == "deleted":
            return self.delete(self.create(**fields))
        if status == "cancelled":
            return self.act(self.create(**fields), "cancel")
        return self.create(status=status, **fields)

    def get(self, activity: Json | str) -> Json:
        data: Json = self.ok("GET", f"/activities/{id_of(activity)}")["data"]
        return data

    def act(self, activity: Json | str, action: str, **body: Any) -> Json:
        data: Json = self.ok("POST", f"/activities/{id_of(activity)}/{action}", body)["data"]
        return data

    def patch(self, activity: Json | str, **body: Any) -> Json:
        data: Json = self.ok("PATCH", f"/activities/{id_of(activity)}", body)["data"]
        return data

    def delete(self, activity: Json | str) -> Json:
        data: Json = self.ok("DELETE", f"/activities/{id_of(activity)}")["data"]
        return data

    def rows(self, path: str = "/activities", **params: Any) -> list[Json]:
        """The rows of one page."""
        data: list[Json] = self.ok("GET", path, params=params)["data"]
        return data

    def log(self) -> list[tuple[str, Json]]:
        """Everything recorded in the organisation, oldest first: (stored name, what it says)."""
        rows = self._from_database(
            "select topic, state from activities.events where organization_id = %s order by position"
        )
        self._learn(state for _, state in rows)
        return [(topic, decode(topic, state).model_dump(mode="json", exclude_unset=True)) for topic, state in rows]

    def recorded(self) -> int:
        """How many events the organisation has."""
        rows = self._from_database("select count(*) from activities.events where organization_id = %s")
        return int(rows[0][0])

    @contextmanager
    def unreadable(self, position: int) -> Iterator[None]:
        """A fact is one that no version knows, for the length of a block.

        Tables and tree have taken it in before, so that nothing is parked, and it is mended in the end: others have
        the same service.
        """
        self.await_checkpoint()
        self.rows()
        rename = (
            "update activities.events set topic = '{}' where organization_id = %s and position = {} returning topic"
        )
        topics = f"select topic from activities.events where organization_id = %s and position = {position}"
        [(topic,)] = self._from_database(topics)
        self._from_database(rename.format(FROM_THE_FUTURE, position))
        try:
            yield
        finally:
            self._from_database(rename.format(topic, position))

    def await_checkpoint(self) -> None:
        """Until all that is recorded now is signed."""
        events, signed = self.recorded(), "select coalesce(max(size), 0) from activities.audit_checkpoints"
        what = f"a checkpoint over {events} events"
        eventually(lambda: self._from_database(f"{signed} where organization_id = %s")[0][0] >= events, PATIENCE, what)

    def states(self) -> dict[Any, Any]:
        """The fold of the organisation's log, by stream."""
        return {key: steps[-1].after for key, steps in self.steps().items()}

    def steps(self) -> dict[Any, list[Step]]:
        """How the organisation's streams came about."""
        states: dict[Any, Any] = {}
        steps: dict[Any, list[Step]] = {}
        rows = self._from_database(
            "select originator_id, topic, state, position from activities.events"
            " where organization_id = %s order by position"
        )
        self._learn(row[2] for row in rows)
        for key, topic, state, position in rows:
            before, states[key] = states.get(key), advance(states.get(key), decode(topic, state), position)
            steps.setdefault(key, []).append(Step(before, states[key], topic, position))
        return steps

    def table(self, name: str) -> list[Json]:
        """The organisation's rows of a read table."""
        with psycopg.connect(self.service.dsn, autocommit=True) as connection:
            cursor = connection.execute(
                f"select * from activities.{name} where organization_id = %s", (self.organization,)
            )
            columns = [column.name for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def _learn(self, states: Iterable[bytes]) -> None:
        """Have the keys at hand that open these stored facts."""
        with psycopg.connect(self.service.dsn, options="-c search_path=activities") as connection:
            learn(connection, self.organization, states)

    def _from_database(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.service.dsn, autocommit=True) as connection:
            return connection.execute(sql, (self.organization,)).fetchall()


def id_of(activity: Json | str) -> str:
    return activity if isinstance(activity, str) else str(activity["id"])


def eventually(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that happens by itself, with a bound."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@contextmanager
def database_copy(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The DSN of a migrated database for as long as the block lasts."""
    name = f"service_{uuid4().hex}"
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    try:
        yield server.dsn(name)
    finally:
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


A_CALL: Mapping[str, Any] = {
    "type": "call",
    "subject": "Call about the offer",
    "activityable_type": "customer",
    "activityable_id": "c-1",
}
"""The least one must say of an activity."""

SEED_RECORDS: tuple[tuple[str, str, Json], ...] = (
    ("customers", "01hwxyz223abc456def789ghi0", {"name": "Customer 223"}),
    ("customers", "01hwxyz423abc456def789ghi0", {"name": "Customer 423", "status": "active"}),
    ("customers", "01hwxyz523abc456def789ghi0", {"name": "Customer 575"}),
    (
        "opportunities",
        "01hwxyz823abc456def789ghi0",
        {
            "name": "Acme Corp - Enterprise Platform Implementation",
            "value": 150000.00,
            "stage": "proposal",
        },
    ),
    ("opportunities", "01hwxyz923abc456def789ghi0", {"name": "New opportunity", "value": 100000.00}),
    ("opportunities", "01hwxyzI23abc456def789ghi0", {"name": "Customer 575 - Department Expansion"}),
    (
        "contacts",
        "01hwxyz123abc456def789ghi0",
        {"name": "John Smith", "email": "john@acmecorp.com", "phone": "+1-555-0200"},
    ),
    ("contacts", "01hwxyz223abc456def789ghi0", {"name": "Contact 223"}),
    ("users", "01hwxyz623abc456def789ghi0", {"name": "Jane Manager", "email": "jane@yourcompany.com"}),
    ("users", "01hwxyzH23abc456def789ghi0", {"name": "Training Team"}),
)
"""Nouns, ids and names as in the seed document."""
JANE = "01hwxyz623abc456def789ghi0"
