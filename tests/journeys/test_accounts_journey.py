"""Thena's workflow end to end, and activities told on one surface and worked on from the other."""

from collections.abc import Callable, Iterator

import pytest
from accounts import Accounts
from service import Client, Json, Service

HELD = "2026-01-15T09:20:00Z"


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with service.client() as client:
        yield client


@pytest.fixture
def accounts(client: Client) -> Accounts:
    accounts = Accounts(client)
    accounts.account("4711", name="Acme Corp")
    return accounts


@pytest.mark.parametrize("known_by", [lambda a: a["id"], lambda a: a["uid"]], ids=["the number", "the ULID"])
def test_create_list_for_the_account_update_the_status_delete(
    accounts: Accounts, known_by: Callable[[Json], object]
) -> None:
    made = accounts.create(
        accountId="4711",
        activityTimestamp="2026-01-15T09:00:00Z",
        duration=60,
        location="Head office, room 3",
        type="SITE_VISIT",
        participants=["u-1"],
        attachmentUrls=["https://files.example/agenda.pdf"],
    )
    path = f"/{known_by(made)}"
    assert (made["status"], made["isActive"], made["title"]) == ("PENDING", True, "Visit with Acme Corp")
    assert accounts.ok("GET", "?accountId=4711&page=1&limit=10") == [made]
    done = accounts.ok("PUT", path, {"status": "COMPLETED", "activityTimestamp": HELD})
    assert (done["status"], done["activityTimestamp"]) == ("COMPLETED", HELD)
    assert (done["id"], done["uid"], done["createdAt"]) == (made["id"], made["uid"], made["createdAt"])
    assert accounts.ok("GET", path) == done
    problem = accounts.refused(409, "PUT", path, {"status": "PENDING"})
    assert problem["allowed_actions"] == ["update", "delete"]
    gone = accounts.ok("DELETE", path)
    assert (gone["isActive"], gone["status"]) == (False, "COMPLETED")
    accounts.refused(404, "GET", path)
    reply = accounts.call("GET", "?accountId=4711").json()
    assert (reply["data"], reply["meta"]["total"]) == ([], 0)


def test_told_as_an_accounts_activity_and_worked_on_as_a_crm_activity(accounts: Accounts) -> None:
    made = accounts.create(accountId="4711", type="REVIEW", title="Quarterly review", duration=90)
    crm = accounts.client
    [row] = crm.rows(activityable_type="account", activityable_id="4711")
    assert (row["id"], row["subject"]) == (made["uid"], "Quarterly review")
    assert [row["id"] for row in crm.rows("/activities/search", q="quarterly")] == [made["uid"]]
    crm.act(made["uid"], "start")
    assert accounts.get(made["id"])["statusConfiguration"] == {"value": "IN_PROGRESS", "label": "In progress"}
    crm.act(made["uid"], "complete", outcome="Renewed", duration_minutes=80, completed_at=HELD)
    seen = accounts.get(made["id"])
    assert (seen["status"], seen["duration"], seen["activityTimestamp"]) == ("COMPLETED", 80, HELD)


def test_told_as_a_crm_activity_and_worked_on_as_its_accounts(accounts: Accounts) -> None:
    crm = accounts.client
    crm.record("opportunities", "o-1", account_id="4711", value=1000)
    made = crm.create(
        type="visit", activityable_type="opportunity", activityable_id="o-1", due_at="2030-01-15T09:00:00Z"
    )
    [seen] = accounts.ok("GET", "?accountId=4711")
    assert (seen["uid"], seen["account"], seen["type"]) == (made["id"], "Acme Corp", "SITE_VISIT")
    accounts.put(seen["id"], activityTimestamp="2030-01-16T09:00:00Z", location="On site", duration=30)
    moved = crm.get(made)
    assert (moved["due_at"], moved["rescheduled_count"]) == ("2030-01-16T09:00:00Z", 1)
    assert (moved["location"], moved["duration_minutes"], moved["activityable_id"]) == ("On site", 30, "o-1")
    accounts.put(seen["id"], status="CANCELLED")
    assert crm.get(made)["status"] == "cancelled"
    accounts.ok("DELETE", f"/{seen['id']}")
    assert crm.call("GET", f"/activities/{made['id']}").status_code == 404
    assert crm.act(made, "restore")["status"] == "cancelled"
    assert accounts.get(seen["id"])["isActive"] is True
