"""Once somebody is erased, nothing anywhere says what was said of them: no table, no column, no byte."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from service import SECRET, Client, Service

from api.http.tokens import SCOPES
from application.event_store.mapper import activity_key
from application.oversight.operator import operator
from projections.read_models import READ_MODELS
from projections.rebuild import Rebuild
from projections.verify import chosen, verify

ACTIVITIES = Path(sys.executable).parent / "activities"
Json = dict[str, Any]
BASIS = {"basis": "consent_withdrawn", "reference": "case 4711"}


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Service]:
    """Of this module alone: what is looked through is every table of the database."""
    with Service(module_database, workers=2) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with service.client(scopes=SCOPES, keep_alive=False) as client:
        client.record()
        yield client


@pytest.fixture
def canary() -> str:
    """A word nobody else says."""
    return f"zq{uuid4().hex[:12]}x"


def a_contact(client: Client, canary: str, id_: str = "pat") -> str:
    said = {
        "name": f"Pat {canary}",
        "email": f"{canary}@prospect.example",
        "phone": f"+1-{canary}",
        "title": f"CFO {canary}",
        "notes": f"Prefers {canary}",
        "attributes": {"dog": canary},
    }
    return client.record("contacts", id_, **said)


def a_call(client: Client, canary: str, contact: str = "pat", **more: Any) -> Json:
    return client.create(
        **{
            "contact_id": contact,
            "subject": f"Call {canary}",
            "description": f"About {canary}",
            "location": f"At {canary}'s",
            "custom_fields": {"mood": canary},
            "attachment_urls": [f"https://files.example/{canary}.pdf"],
            "participants": [
                {"kind": "contact", "id": contact, "name": f"Pat {canary}", "email": f"{canary}@x.example"}
            ],
            "due_at": "2025-01-01T00:00:00Z",
            "tags": ["kept"],
        }
        | more
    )


def erase(client: Client, path: str = "/contacts/pat", **more: Any) -> Json:
    data: Json = client.ok("POST", f"{path}/erase", BASIS | more)["data"]
    return data


def places_that_say(dsn: str, canary: str) -> list[str]:
    """Every column of every table (and of the planner's samples) in which the word stands, as text or as bytes."""
    needle = canary.lower()
    found = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        tables = connection.execute(
            "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'm') and (n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
            " or c.relname in ('pg_statistic', 'pg_largeobject'))"
        ).fetchall()
        assert len(tables) > 15
        for schema, table in tables:
            columns = connection.execute(
                "select attname, format_type(atttypid, null) from pg_attribute"
                " where attrelid = format('%%I.%%I', %s::text, %s::text)::regclass and attnum > 0 and not attisdropped",
                (schema, table),
            ).fetchall()
            for column, kind in columns:
                text = SQL("encode({}, 'escape')") if kind == "bytea" else SQL("{}::text")
                statement = SQL("select count(*) from {}.{} where strpos(lower({}), %s) > 0").format(
                    Identifier(schema), Identifier(table), text.format(Identifier(column))
                )
                [(rows,)] = connection.execute(statement, (needle,)).fetchall()
                if rows:
                    found.append(f"{table}.{column}")
    return found


def settle(client: Client) -> None:
    for path in ("/activities", "/activities/search?q=zz", "/activities/overdue", "/activities/follow-ups"):
        client.ok("GET", path)


def drift(client: Client) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for verdict in verify(client.service.dsn, chosen([]), lambda _: None):
        if verdict.organization_id == client.organization:
            found[verdict.read_model] = [*verdict.drift, *["count"] * verdict.wrong_counts]
    return found


def everything_that_can_be_said(client: Client, canary: str) -> Json:
    """Said of one contact in every way there is; the first call."""
    a_contact(client, canary)
    client.ok("PATCH", "/contacts/pat", {"name": f"Patricia {canary}", "notes": f"Now {canary}"})
    call = a_call(client, canary)
    client.patch(call, subject=f"Renamed {canary}", description=f"Said {canary}")
    client.act(call, "reschedule", new_due_at="2030-01-01T00:00:00Z", reason=f"Asked by {canary}")
    client.act(call, "wait", reason=f"For {canary}")
    client.act(call, "resume")
    client.act(call, "complete", outcome=f"Pleased {canary}", follow_up_date="2030-02-01", create_follow_up=True)
    client.patch(call, outcome=f"Very pleased {canary}")
    client.act(a_call(client, canary), "cancel", reason=f"No time for {canary}")
    client.act(a_call(client, canary), "defer", reason=f"Later, {canary}")
    client.delete(a_call(client, canary))
    a_call(client, canary, activityable_type="contact", activityable_id="pat", contact_id=None)
    client.create(subject="Board", participants=[{"kind": "contact", "id": "pat", "name": f"P {canary}"}])
    body = {"type": "call", "subject": f"Kept {canary}", "activityable_type": "customer", "activityable_id": "c-1"}
    client.ok("POST", "/activities", body | {"contact_id": "pat"}, headers={"Idempotency-Key": "k-1"})
    client.ok("PATCH", "/contacts/pat", {"notes": f"Kept {canary}"}, headers={"Idempotency-Key": "k-2"})
    settle(client)
    return call


class TestErasing:
    def test_nothing_personal_stands_in_the_log_in_plain(self, client: Client, canary: str) -> None:
        everything_that_can_be_said(client, canary)
        assert not [place for place in places_that_say(client.service.dsn, canary) if place.startswith("events.")]

    def test_no_byte_of_it_is_left_in_any_table_and_the_tables_are_still_the_fold(
        self, client: Client, canary: str
    ) -> None:
        everything_that_can_be_said(client, canary)
        Rebuild(client.service.dsn, READ_MODELS["activity_list"]).run(lambda _: None)
        before = places_that_say(client.service.dsn, canary)
        assert {
            "activity_list.document",
            "word_totals.word",
            "word_keys.word",
            "directory.document",
            "idempotency.body",
        } <= set(before)
        assert "activity_list_previous.document" in before

        done = erase(client)

        assert done["activities"] == 8
        settle(client)
        assert [p for p in places_that_say(client.service.dsn, canary) if not p.startswith("pg_statistic")] == []
        assert drift(client) == {name: [] for name in READ_MODELS}
        assert client.states().keys() == {row["originator_id"] for row in client.table("events")}

    def test_the_planners_samples_forget_too_once_the_tables_are_vacuumed(self, client: Client, canary: str) -> None:
        for _ in range(3):
            everything_that_can_be_said(client, canary)
            break
        with psycopg.connect(client.service.dsn, autocommit=True) as connection:
            connection.execute("analyze activities.activity_list")
        assert [p for p in places_that_say(client.service.dsn, canary) if p.startswith("pg_statistic")]
        erase(client)
        eventually_none(client.service.dsn, canary)

    def test_search_list_detail_history_and_time_travel_say_nothing_any_more(self, client: Client, canary: str) -> None:
        call = everything_that_can_be_said(client, canary)
        assert client.ok("GET", f"/activities/search?q={canary}")["meta"]["total"] > 0
        version = client.get(call)["version"]
        erase(client)

        assert client.ok("GET", f"/activities/search?q={canary}")["data"] == []
        for path in (
            "/activities?includes=contact",
            f"/activities/{call['id']}",
            f"/activities/{call['id']}/history",
            *(f"/activities/{call['id']}?as_of={one}" for one in range(1, version + 1)),
            "/contacts",
            "/contacts/pat",
        ):
            assert canary not in json.dumps(client.ok("GET", path)), path
        shown = client.get(call)
        assert (shown["subject"], shown["description"], shown["outcome"]) == ("[erased]", None, None)
        assert (shown["custom_fields"], shown["attachment_urls"], shown["location"]) == ({}, [], None)
        assert shown["contact"]["name"] == "[erased]"
        assert (shown["tags"], shown["status"], shown["due_at"]) == (["kept"], "completed", "2030-01-01T00:00:00Z")

    def test_totals_are_as_they_were(self, client: Client, canary: str) -> None:
        everything_that_can_be_said(client, canary)
        asked = ("/activities", "/activities?status=completed", "/activities/overdue", "/activities/follow-ups")
        before = [client.ok("GET", path)["meta"]["total"] for path in asked]
        erase(client)
        assert [client.ok("GET", path)["meta"]["total"] for path in asked] == before

    def test_it_is_on_record_who_erased_when_and_on_what_ground_and_nothing_of_whom(
        self, client: Client, canary: str
    ) -> None:
        everything_that_can_be_said(client, canary)
        done = erase(client)
        said = {name: fact for name, fact in client.log() if name.startswith(("erasure.", "record.erased"))}
        begun, completed = said["erasure.begun.v1"], said["erasure.completed.v1"]
        assert (begun["kind"], begun["record_id"], begun["basis"], begun["reference"]) == (
            "contact",
            "pat",
            "consent_withdrawn",
            "case 4711",
        )
        assert (completed["id"], completed["activities"]) == (done["erasure_id"], 8)
        assert said["record.erased.v1"]["id"] == "pat"
        blanked = [fact for name, fact in client.log() if name == "activity.personal_data_erased.v1"]
        assert {fact["erasure_id"] for fact in blanked} == {done["erasure_id"]}
        actors = {row["metadata"]["actor"] for row in client.table("events") if "eras" in row["topic"]}
        assert actors == {client.user}

    def test_said_twice_it_is_recorded_once(self, client: Client, canary: str) -> None:
        everything_that_can_be_said(client, canary)
        first = erase(client)
        recorded = client.recorded()
        again = erase(client)
        assert (again["already"], again["erasure_id"]) == (True, first["erasure_id"])
        assert client.recorded() == recorded

    def test_a_dry_run_says_how_much_there_is_and_erases_nothing(self, client: Client, canary: str) -> None:
        call = everything_that_can_be_said(client, canary)
        recorded = client.recorded()
        assert erase(client, dry_run=True)["activities"] == 8
        assert client.recorded() == recorded
        assert canary in client.get(call)["subject"]

    def test_others_keep_what_is_theirs(self, client: Client, canary: str) -> None:
        other = f"other{canary}"
        a_contact(client, canary)
        a_contact(client, other, "kim")
        theirs = a_call(client, other, "kim")
        both = a_call(
            client,
            canary,
            participants=[
                {"kind": "contact", "id": "kim", "name": other},
                {"kind": "contact", "id": "pat", "name": canary},
            ],
        )
        handed_over = a_call(client, canary)
        client.patch(handed_over, contact_id="kim", subject=f"Now {other}")
        erase(client)

        assert client.get(theirs)["subject"] == f"Call {other}"
        assert [person.get("name") for person in client.get(both)["participants"]] == [other, None]
        shown = client.get(handed_over)
        assert (shown["subject"], shown["description"]) == (f"Now {other}", None)
        assert other in json.dumps(client.ok("GET", "/contacts/kim"))
        assert drift(client) == {name: [] for name in READ_MODELS}

    @pytest.mark.parametrize(("noun", "kind"), [("leads", "lead"), ("customers", "customer"), ("users", "user")])
    def test_every_kind_of_person_can_be_erased(self, client: Client, canary: str, noun: str, kind: str) -> None:
        client.record(noun, "pat", name=canary, email=f"{canary}@x.example", notes=canary)
        if kind != "user":
            client.create(subject=canary, activityable_type=kind, activityable_id="pat")
        client.create(participants=[{"kind": "user", "id": "pat", "name": canary}] if kind == "user" else [])
        settle(client)
        assert erase(client, f"/{noun}/pat")["activities"] == 1
        settle(client)
        assert [p for p in places_that_say(client.service.dsn, canary) if not p.startswith("pg_statistic")] == []

    def test_an_outsider_is_erased_by_address_and_nothing_is_kept_to_know_them_by(
        self, client: Client, canary: str
    ) -> None:
        address = f"Kim.{canary}@Partner.example"
        client.create(participants=[{"kind": "external", "name": f"Kim {canary}", "email": address}])
        settle(client)
        path = "/participants"
        assert erase(client, path, email=address.lower())["activities"] == 1
        settle(client)
        assert [p for p in places_that_say(client.service.dsn, canary) if not p.startswith("pg_statistic")] == []
        assert {row["subject"] for row in client.table("data_keys") if row["destroyed_at"]} == {None}
        assert erase(client, path, email=address)["erasure_id"] is None
        again = client.create(participants=[{"kind": "external", "name": "Kim", "email": address}])
        assert client.get(again)["participants"][0]["email"] == address

    def test_who_is_not_there_is_unknown(self, client: Client) -> None:
        assert client.call("POST", "/contacts/nobody/erase", BASIS).status_code == 404
        assert client.call("POST", "/accounts/acme/erase", BASIS).status_code == 404

    def test_upon_another_version_than_expected_nothing_is_erased(self, client: Client, canary: str) -> None:
        a_contact(client, canary)
        reply = client.call("POST", "/contacts/pat/erase", BASIS, headers={"If-Match": '"7"'})
        assert reply.status_code == 412
        assert canary in json.dumps(client.ok("GET", "/contacts/pat"))


class TestTheCommandLine:
    def run(self, client: Client, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        settings = {"ACTIVITIES_DATABASE_URL": client.service.dsn, "ACTIVITIES_JWT_SECRET": SECRET}
        command = [ACTIVITIES, *arguments, "--organization", client.organization, "--basis", "objection"]
        return subprocess.run(
            command, env={**os.environ, **settings, **env}, capture_output=True, text=True, timeout=60, check=False
        )

    def test_erases_everything_and_vacuums_what_it_touched(self, client: Client, canary: str) -> None:
        everything_that_can_be_said(client, canary)
        dry = self.run(client, "erase", "--kind", "contact", "--id", "pat", "--dry-run")
        assert (dry.returncode, dry.stdout) == (0, "8 activities say something of them; nothing was erased\n")
        done = self.run(client, "erase", "--kind", "contact", "--id", "pat", "--reference", "case 1")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("erased, with what 8 activities said; erasure ")
        settle(client)
        assert places_that_say(client.service.dsn, canary) == []
        actors = {row["metadata"]["actor"] for row in client.table("events") if "eras" in row["topic"]}
        assert actors == {operator().user_id}
        again = self.run(client, "erase", "--kind", "contact", "--id", "pat")
        assert (again.returncode, again.stdout) == (0, "erased already\n")

    @pytest.mark.parametrize(
        "whom",
        [
            (),
            ("--kind", "contact"),
            ("--kind", "account", "--id", "acme"),
            ("--kind", "contact", "--id", "pat", "--email", "pat@x.example"),
            ("--kind", "contact", "--id", "nobody"),
        ],
    )
    def test_of_nobody_nothing_is_erased(self, client: Client, whom: tuple[str, ...]) -> None:
        done = self.run(client, "erase", *whom)
        assert (done.returncode, done.stdout) == (2, "")

    def test_under_another_master_key_it_gives_up_in_one_line(self, client: Client, canary: str) -> None:
        a_contact(client, canary)
        done = self.run(
            client, "erase", "--kind", "contact", "--id", "pat", ACTIVITIES_ENCRYPTION_KEY="quite another master key"
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        assert "another master key" in done.stderr
        assert canary in json.dumps(client.ok("GET", "/contacts/pat"))


class TestAfterwards:
    @pytest.fixture
    def call(self, client: Client, canary: str) -> Json:
        a_contact(client, canary)
        call = a_call(client, canary)
        erase(client)
        return call

    def test_the_record_is_closed(self, client: Client, call: Json) -> None:
        for method in ("PATCH", "PUT"):
            reply = client.call(method, "/contacts/pat", {"name": "Pat again"})
            assert (reply.status_code, reply.json()["code"]) == (410, "erased")
        assert client.ok("GET", "/contacts/pat")["data"]["name"] == "[erased]"

    def test_nothing_new_refers_to_them(self, client: Client, call: Json) -> None:
        reply = client.call(
            "POST",
            "/activities",
            {
                "type": "call",
                "subject": "x",
                "activityable_type": "customer",
                "activityable_id": "c-1",
                "contact_id": "pat",
            },
        )
        assert (reply.status_code, list(reply.json()["errors"])) == (422, ["contact_id"])

    def test_their_activities_go_on_but_take_nothing_personal(self, client: Client, call: Json) -> None:
        moved = client.act(call, "reschedule", new_due_at="2031-01-01T00:00:00Z")
        assert (moved["subject"], moved["due_at"]) == ("[erased]", "2031-01-01T00:00:00Z")
        reply = client.call("POST", f"/activities/{call['id']}/complete", {"outcome": "They were pleased"})
        assert (reply.status_code, reply.json()["code"]) == (422, "of_an_erased_person")
        assert list(reply.json()["errors"]) == ["outcome"]
        done = client.act(call, "complete", follow_up_date="2031-02-01", create_follow_up=True)
        assert done["status"] == "completed"
        assert {row["subject"] for row in client.rows()} == {"[erased]"}

    def test_an_activity_can_be_given_to_somebody_else(self, client: Client, call: Json) -> None:
        client.record("contacts", "kim")
        changed = client.patch(call, contact_id="kim", subject="With Kim now")
        assert (changed["subject"], changed["contact"]["id"]) == ("With Kim now", "kim")

    def test_of_many_only_theirs_is_refused(self, client: Client, call: Json) -> None:
        other = client.create()
        body = {"action": "cancel", "activity_ids": [call["id"], other["id"]], "parameters": {"reason": "No time"}}
        results = client.ok("POST", "/activities/bulk-actions", body)["data"]["results"]
        assert [result["ok"] for result in results] == [False, True]
        assert results[0]["problem"]["code"] == "of_an_erased_person"

    def test_a_retry_is_answered_that_it_was_done_and_is_not_done_again(self, client: Client, canary: str) -> None:
        a_contact(client, canary)
        body = {"type": "call", "subject": canary, "activityable_type": "customer", "activityable_id": "c-1"}
        key = {"Idempotency-Key": "k-1"}
        client.ok("POST", "/activities", body | {"contact_id": "pat"}, headers=key)
        erase(client)
        recorded = client.recorded()
        reply = client.call("POST", "/activities", body | {"contact_id": "pat"}, headers=key)
        assert (reply.status_code, reply.headers["Idempotent-Replayed"]) == (201, "true")
        assert reply.json() == {"success": True, "message": "It was done; what was answered is erased", "data": None}
        assert client.recorded() == recorded

    def test_tables_built_anew_are_the_same_tables(self, client: Client, call: Json) -> None:
        settle(client)
        before = {name: sorted(map(str, client.table(name))) for name in READ_MODELS}
        for model in READ_MODELS.values():
            Rebuild(client.service.dsn, model).run(lambda _: None)
        assert {name: sorted(map(str, client.table(name))) for name in READ_MODELS} == before


class TestRaces:
    def test_what_is_said_at_the_same_moment_is_erased_or_refused(self, client: Client, canary: str) -> None:
        a_contact(client, canary)
        a_call(client, canary)
        stop = threading.Event()
        refused: list[int] = []

        def talk(number: int) -> None:
            with client.service.client(client.organization, f"u-{number}", keep_alive=False) as talker:
                while not stop.is_set():
                    said = {"subject": f"Said {canary}", "contact_id": "pat", "participants": []}
                    body = {"type": "call", "activityable_type": "customer", "activityable_id": "c-1"} | said
                    reply = talker.call("POST", "/activities", body)
                    assert reply.status_code in (201, 422), reply.text
                    if reply.status_code == 422:
                        refused.append(1)
                        return
                    other = talker.call("PATCH", f"/activities/{reply.json()['data']['id']}", {"outcome": canary})
                    assert other.status_code in (200, 422), other.text

        with ThreadPoolExecutor() as threads:
            talking = [threads.submit(talk, number) for number in range(4)]
            time.sleep(0.5)
            try:
                erase(client)
            finally:
                time.sleep(0.2)
                stop.set()
            for one in talking:
                one.result()
        assert len(refused) == 4
        settle(client)
        assert [p for p in places_that_say(client.service.dsn, canary) if not p.startswith("pg_statistic")] == []
        assert drift(client) == {name: [] for name in READ_MODELS}

    def test_two_who_erase_at_once_erase_once(self, client: Client, canary: str) -> None:
        a_contact(client, canary)
        for _ in range(5):
            a_call(client, canary)
        with ThreadPoolExecutor() as threads:
            done = [one.result() for one in [threads.submit(erase, client) for _ in range(4)]]
        assert len({one["erasure_id"] for one in done}) == 1
        names = [name for name, _ in client.log()]
        assert names.count("record.erased.v1") == names.count("erasure.begun.v1") == 1
        assert names.count("activity.personal_data_erased.v1") == 5
        assert names.count("erasure.completed.v1") == 1


def eventually_none(dsn: str, canary: str) -> None:
    deadline = time.monotonic() + 30
    while found := places_that_say(dsn, canary):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_keys_of_streams_are_those_of_activities(client: Client, canary: str) -> None:
    a_contact(client, canary)
    call = a_call(client, canary)
    [row] = [row for row in client.table("events") if row["originator_id"] == activity_key(call["id"])]
    boxes = json.loads(bytes(row["state"]))["sealed"]
    assert boxes[0]["fields"].split()[0] == "subject"
    assert len({box["key"] for box in boxes}) == 1
