"""Whatever is commanded over HTTP, every read table is the fold of what was recorded, and says what a model says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from lifecycle_table import LEADS_TO
from service import Client, Json, Service

from application.event_store.mapper import activity_key
from projections.read_models import READ_MODELS

EPOCH = datetime(2025, 12, 20, tzinfo=UTC)
FAR = 24 * 365 * 50
"""Hours after EPOCH that have not come yet."""
PRIORITIES = ("low", "medium", "high", "urgent", "critical")
CAN_BE_LATE = ("pending", "in_progress", "waiting")
CUSTOMERS = ("c-1", "c-2")

hours = st.none() | st.sampled_from([-48, -1, 0, 1, 72, FAR])
tags = st.lists(st.sampled_from(["a", "b", "c", "Straße"]), max_size=4)
texts = st.sampled_from(["Call", "Call back", "Propose O'Clock", "50% off", "Gärtnerei"])
priorities = st.sampled_from(PRIORITIES)
which = st.integers(0, 10**6)


def iso(hour: int | None) -> str | None:
    return None if hour is None else (EPOCH + timedelta(hours=hour)).isoformat().replace("+00:00", "Z")


class Model(dict[str, Any]):
    """What an activity ought to be, told by the rules of REQUIREMENTS section 2 alone."""

    @property
    def place(self) -> str:
        return "deleted" if self["deleted"] else str(self["status"])

    def allows(self, action: str) -> bool:
        return action in LEADS_TO[self.place]

    def goes(self, action: str) -> None:
        to = LEADS_TO[self["status"]][action]
        self["status"] = "in_progress" if action == "resume" and self["started"] else to
        self["started"] |= self["status"] == "in_progress"
        self["version"] += 1

    def moves(self, due: int | None, priority: str | None = None) -> bool:
        """Whether there is anything to record of it."""
        same = due == self["due"] and priority in (None, self["priority"]) and self["status"] != "deferred"
        if same:
            return False
        if due != self["due"]:
            if None not in (due, self["due"], self["reminder"]):
                self["reminder"] += due - self["due"]
            self["count"] += None not in (due, self["due"])
            self["previous"], self["due"] = self["due"], due
        self["priority"] = priority or self["priority"]
        self["status"] = "pending" if self["status"] == "deferred" else self["status"]
        self["version"] += 1
        return True


class Commands(RuleBasedStateMachine):
    """Random commands of one organisation, each judged at once and all of them at the end."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.context = service.client()
        self.client: Client = self.context.__enter__()
        for customer in CUSTOMERS:
            self.client.record("customers", customer)
        self.models: dict[str, Model] = {}
        self.names = {customer: f"customers {customer}" for customer in CUSTOMERS}

    def teardown(self) -> None:
        try:
            compare(self.client, self.models, self.names)
        finally:
            self.context.__exit__(None, None, None)

    @rule(
        status=st.sampled_from(["pending", "pending", "in_progress", "waiting", "deferred", "completed"]),
        due=hours,
        lead=st.none() | st.integers(-3, 3),
        tags=tags,
        subject=texts,
        priority=priorities,
        customer=st.sampled_from(CUSTOMERS),
        required=st.booleans(),
    )
    def create(
        self,
        status: str,
        due: int | None,
        lead: int | None,
        tags: list[str],
        subject: str,
        priority: str,
        customer: str,
        required: bool,
    ) -> None:
        reminder = None if due is None or lead is None else due + lead
        said = {
            "type": "call",
            "subject": subject,
            "activityable_type": "customer",
            "activityable_id": customer,
            "status": status,
            "due_at": iso(due),
            "reminder_at": iso(reminder),
            "tags": tags,
            "priority": priority,
            "follow_up_required": required,
        }
        made = self.client.ok("POST", "/activities", said)["data"]
        self.models[made["id"]] = Model(
            status=status,
            started=status == "in_progress",
            due=due,
            reminder=reminder,
            previous=None,
            count=0,
            tags=list(dict.fromkeys(tags)),
            subject=subject,
            description=None,
            priority=priority,
            customer=customer,
            required=required,
            owed=required and status == "completed",
            deleted=False,
            version=1 if status == "pending" else 2,
        )
        self.agrees(made)

    @precondition(lambda self: self.models)
    @rule(which=which, action=st.sampled_from(["start", "defer", "wait", "resume", "restore"]))
    def act(self, which: int, action: str) -> None:
        def change(model: Model) -> None:
            if action == "restore":
                model["deleted"] = False
                model["version"] += 1
            else:
                model.goes(action)

        self.command(which, action, change, "POST", f"/{action}")

    @precondition(lambda self: self.models)
    @rule(which=which)
    def delete(self, which: int) -> None:
        def change(model: Model) -> None:
            model["deleted"] = True
            model["version"] += 1

        self.command(which, "delete", change, "DELETE", "")

    @precondition(lambda self: self.models)
    @rule(which=which, due=hours.filter(lambda hour: hour is not None), priority=st.none() | priorities)
    def reschedule(self, which: int, due: int, priority: str | None) -> None:
        body = {"new_due_at": iso(due), "priority": priority}
        self.command(which, "reschedule", lambda model: model.moves(due, priority), "POST", "/reschedule", body)

    @precondition(lambda self: self.models)
    @rule(which=which, tags=tags, required=st.none() | st.booleans())
    def complete(self, which: int, tags: list[str], required: bool | None) -> None:
        def change(model: Model) -> None:
            model.goes("complete")
            model["tags"] += [tag for tag in dict.fromkeys(tags) if tag not in model["tags"]]
            model["required"] = model["required"] if required is None else required
            model["owed"] = model["required"]

        body = {"tags": tags, "follow_up_required": required, "outcome": "done"}
        self.command(which, "complete", change, "POST", "/complete", body)

    @precondition(lambda self: self.models)
    @rule(which=which, successor_due=hours)
    def cancel(self, which: int, successor_due: int | None) -> None:
        body = {} if successor_due is None else {"reschedule": True, "reschedule_date": iso(successor_due)}
        reply = self.command(which, "cancel", lambda model: model.goes("cancel"), "POST", "/cancel", body)
        if reply.status_code == 200 and successor_due is not None:
            told = reply.json()["data"]
            before = self.models[told["id"]]
            lead = None if None in (before["due"], before["reminder"]) else before["reminder"] - before["due"]
            reminder = None if lead is None else successor_due + lead
            self.copied(before, told["successor_id"], due=successor_due, reminder=reminder)

    @precondition(lambda self: self.models)
    @rule(which=which, subject=st.none() | texts)
    def recreate(self, which: int, subject: str | None) -> None:
        body = {} if subject is None else {"subject": subject}
        reply = self.command(which, "recreate", lambda model: None, "POST", "/recreate", body)
        if reply.status_code == 201:
            told = reply.json()["data"]
            before = self.models[told["recreated_from_id"]]
            self.copied(before, told["id"], subject=subject or before["subject"])
            self.agrees(told)

    @precondition(lambda self: self.models)
    @rule(
        which=which,
        subject=texts,
        description=st.none() | texts,
        tags=tags,
        customer=st.sampled_from(CUSTOMERS),
    )
    def update(self, which: int, subject: str, description: str | None, tags: list[str], customer: str) -> None:
        self.patch(
            which,
            {
                "subject": subject,
                "description": description,
                "tags": list(dict.fromkeys(tags)),
                "customer": customer,
            },
        )

    @precondition(lambda self: self.models)
    @rule(which=which, description=st.none() | texts)
    def annotate(self, which: int, description: str | None) -> None:
        self.patch(which, {"description": description})

    @precondition(lambda self: self.models)
    @rule(which=which, due=hours)
    def patch_due(self, which: int, due: int | None) -> None:
        id_ = sorted(self.models)[which % len(self.models)]
        model = self.models[id_]
        reply = self.client.call("PATCH", f"/activities/{id_}", {"due_at": iso(due)})
        if model["deleted"]:
            assert reply.status_code == 404
        elif due == model["due"]:
            assert reply.status_code == 200
        elif model.allows("update") and model.allows("reschedule"):
            assert reply.status_code == 200, reply.text
            model.moves(due)
        else:
            assert reply.status_code == 409
        if reply.status_code == 200:
            self.agrees(reply.json()["data"])

    @rule(customer=st.sampled_from(CUSTOMERS), name=st.sampled_from(["Acme", "Gärtnerei & Co", "O'Clock"]))
    def rename(self, customer: str, name: str) -> None:
        self.client.record("customers", customer, name=name)
        self.names[customer] = name

    def patch(self, which: int, changes: dict[str, Any]) -> None:
        id_ = sorted(self.models)[which % len(self.models)]
        model = self.models[id_]
        body = {("activityable_id" if name == "customer" else name): value for name, value in changes.items()}
        different = {name for name, value in changes.items() if model[name] != value}
        reply = self.client.call("PATCH", f"/activities/{id_}", body)
        if model["deleted"]:
            assert reply.status_code == 404
        elif not different:
            assert reply.status_code == 200
        elif not model.allows("update") or (
            model["status"] == "completed" and not different <= {"description", "tags"}
        ):
            assert reply.status_code == 409
            assert set(reply.json()["allowed_actions"]) == set(LEADS_TO[model.place])
        else:
            assert reply.status_code == 200, reply.text
            model |= changes
            model["version"] += 1
        if reply.status_code == 200:
            self.agrees(reply.json()["data"])

    def command(
        self,
        which: int,
        action: str,
        change: Callable[[Model], object],
        method: str,
        path: str,
        body: Json | None = None,
    ) -> httpx.Response:
        """An action on some activity: done where the table allows it, else refused saying what is allowed."""
        id_ = sorted(self.models)[which % len(self.models)]
        model = self.models[id_]
        reply = self.client.call(method, f"/activities/{id_}{path}", body)
        if model.allows(action):
            assert reply.is_success, reply.text
            change(model)
            if reply.json()["data"]["id"] == id_:
                self.agrees(reply.json()["data"])
        elif model["deleted"]:
            assert reply.status_code == 404
        else:
            assert reply.status_code == 409
            assert set(reply.json()["allowed_actions"]) == set(LEADS_TO[model.place])
        return reply

    def copied(self, model: Model, id_: str, **otherwise: Any) -> None:
        new = {
            "status": "pending",
            "started": False,
            "previous": None,
            "count": 0,
            "required": False,
            "owed": False,
            "deleted": False,
            "version": 1,
            "tags": list(model["tags"]),
        }
        self.models[id_] = Model(model | new | otherwise)

    def agrees(self, told: Json) -> None:
        """What a command is answered with is what the model says."""
        model = self.models[told["id"]]
        shown = {
            "status": told["status"],
            "due": told["due_at"],
            "reminder": told["reminder_at"],
            "previous": told["previous_due_at"],
            "count": told["rescheduled_count"],
            "tags": told["tags"],
            "subject": told["subject"],
            "description": told["description"],
            "priority": told["priority"],
            "customer": told["activityable_id"],
            "required": told["follow_up_required"],
            "version": told["version"],
        }
        expected = {name: model[name] for name in shown}
        expected |= {name: iso(model[name]) for name in ("due", "reminder", "previous")}
        assert shown == expected
        assert set(told["allowed_actions"]) == set(LEADS_TO[model.place])


def compare(client: Client, models: dict[str, Model], names: dict[str, str]) -> None:
    """Every read table with the fold of the log, and with the model."""
    for path in ("/activities", "/activities/overdue", "/activities/follow-ups", "/activities/search?q=call"):
        client.ok("GET", path)  # a read waits for the tables it reads
    steps = client.steps()
    states = {key: walked[-1].after for key, walked in steps.items()}
    tables = {name: client.table(name) for name in READ_MODELS}
    for name, read_model in READ_MODELS.items():
        expected = [row for row in read_model.rows(client.organization, states, steps).values() if row is not None]
        columns, key = read_model.table.columns, read_model.table.key
        assert by_key(tables[name], columns, key) == by_key(as_stored(client, name, expected), columns, key), name

    there = {activity_key(id_): model for id_, model in models.items()}
    listed = {row["activity_id"]: row for row in tables["activity_list"]}
    assert listed.keys() == there.keys()
    for id_, model in there.items():
        row = listed[id_]
        assert (row["status"], row["version"], row["subject"]) == (
            model["status"],
            model["version"],
            model["subject"],
        )
        assert row["due_at"] == (None if model["due"] is None else EPOCH + timedelta(hours=model["due"]))
        assert (row["tags"], row["rescheduled_count"]) == (model["tags"], model["count"])
        assert row["priority"] == PRIORITIES.index(model["priority"]) + 1
        assert (row["deleted_at"] is not None) == model["deleted"]
        assert row["related_id"] == model["customer"]
    alive = {id_ for id_, model in there.items() if not model["deleted"]}
    assert {row["activity_id"] for row in tables["activity_search"]} == alive
    assert {row["activity_id"] for row in tables["overdue"]} == {
        id_ for id_ in alive if there[id_]["due"] is not None and there[id_]["status"] in CAN_BE_LATE
    }
    assert {row["activity_id"] for row in tables["follow_ups"]} == alive
    assert {row["activity_id"] for row in tables["follow_ups"] if row["opened"] is not None} == {
        id_ for id_ in alive if there[id_]["owed"]
    }
    assert {row["id"]: row["name"] for row in tables["directory"]} == names


def as_stored(client: Client, name: str, rows: list[Any]) -> list[Json]:
    """Rows as the database gives them back, once they are of the table's types."""
    with psycopg.connect(client.service.dsn, autocommit=True) as connection:
        cursor = connection.execute(
            f"select * from json_populate_recordset(null::activities.{name}, %s)",
            (orjson.dumps(rows, default=str).decode(),),
        )
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def by_key(rows: list[Json], columns: tuple[str, ...], key: str) -> dict[Any, Json]:
    return {row[key]: {column: row[column] for column in columns} for row in rows}


@pytest.mark.timeout(170)
def test_every_read_table_is_the_fold_of_the_log(service: Service) -> None:
    run_state_machine_as_test(
        lambda: Commands(service),  # type: ignore[arg-type]  # any callable that makes one will do
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
