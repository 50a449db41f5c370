"""Surface T: the same activities as their accounts see them. Source: the Thena Activities page."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from accounts import A_VISIT, Accounts, key_of
from service import Client, Json, Service

from domain.vocabulary import OPEN, ActivityType, Status

PAST, DUE, LATER = "2024-03-01T09:30:00Z", "2030-05-01T10:00:00Z", "2030-06-01T10:00:00Z"
FUTURE = "2999-01-01T00:00:00Z"
PAPERS = ["https://files.example/0", "https://files.example/1", "https://files.example/2"]
WORDS = {type_: type_.name for type_ in ActivityType} | {ActivityType.VISIT: "SITE_VISIT"}


@pytest.fixture
def accounts(client: Client) -> Accounts:
    """Surface T of a new organisation with an account, Acme, and its customer c-1."""
    accounts = Accounts(client)
    accounts.account(name="Acme")
    client.record("customers", "c-1", account_id="a-1")
    client.record("users", "u-1", name="First user", email="u1@example.com")
    return accounts


def in_status(accounts: Accounts, status: Status, **fields: object) -> Json:
    """An activity of the account, made on surface S and brought as far as `status`."""
    said = {"due_at": DUE, "activityable_type": "account", "activityable_id": "a-1", **fields}
    return accounts.client.create_in(status, **said)


def last_two(accounts: Accounts) -> list[str]:
    return [name for name, _ in accounts.client.log()[-2:]]


# Who asks


@pytest.mark.parametrize(
    ("missing", "status", "code"),
    [
        ("Authorization", 401, "unauthenticated"),
        ("X-API-Key", 401, "unauthenticated"),
        ("X-Organization-ID", 400, "organization_required"),
    ],
)
def test_all_three_headers_are_needed(accounts: Accounts, missing: str, status: int, code: str) -> None:
    made = accounts.create(attachmentUrls=PAPERS)
    headers = {**accounts.headers, "Authorization": accounts.client.http.headers["Authorization"]}
    del headers[missing]
    one = f"{accounts.url}/{made['id']}"
    for method, url in (("GET", accounts.url), ("POST", accounts.url), ("GET", one), ("DELETE", one)):
        reply = httpx.request(method, url, headers=headers, json=dict(A_VISIT) if method == "POST" else None)
        assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert accounts.uids() == [made["uid"]]


def test_headers_that_disagree_are_refused(accounts: Accounts, service: Service) -> None:
    with service.client() as other:
        accounts.refused(403, "GET", X_Organization_ID=other.organization)
        accounts.refused(403, "GET", X_API_Key=key_of(other))
    accounts.refused(401, "GET", X_API_Key="x")


def test_the_key_and_the_token_must_both_permit_it(accounts: Accounts) -> None:
    key = key_of(accounts.client, "activities:read")
    assert accounts.ok("GET", X_API_Key=key) == []
    assert accounts.refused(403, "POST", "", dict(A_VISIT), X_API_Key=key)["code"] == "forbidden"


# Creating


def test_the_least_one_can_say_and_all_that_is_answered(accounts: Accounts) -> None:
    reply = accounts.call("POST", "", dict(A_VISIT))
    assert reply.status_code == 201
    assert reply.json()["message"] == "Activity created successfully"
    made = reply.json()["data"]
    facts = accounts.client.log()
    assert made == {
        "id": len(facts),
        "uid": facts[-1][1]["id"],
        "accountId": "a-1",
        "account": "Acme",
        "activityTimestamp": DUE,
        "duration": 45,
        "location": "Vienna office",
        "type": "CALL",
        "status": "PENDING",
        "statusConfiguration": {"value": "PENDING", "label": "Pending"},
        "title": "Call with Acme",
        "description": None,
        "participants": [],
        "attachmentUrls": [],
        "isActive": True,
        "creator": "First user",
        "creatorId": "u-1",
        "creatorEmail": "u1@example.com",
        "createdAt": facts[-1][1]["at"],
        "updatedAt": facts[-1][1]["at"],
        "deletedAt": None,
    }
    assert accounts.get(made) == made
    assert accounts.ok("GET") == [made]


def test_everything_one_can_say_is_seen_on_surface_s(accounts: Accounts) -> None:
    made = accounts.create(
        type="site_visit",
        title=" Tour of the plant ",
        description="Bring boots",
        participants=["u-1", {"kind": "external", "name": "Ann", "role": "required", "rsvp": "accepted"}],
        attachmentUrls=PAPERS,
    )
    seen = accounts.client.get(made["uid"])
    assert seen["type"] == "visit" and made["type"] == "SITE_VISIT"
    assert seen["subject"] == made["title"] == "Tour of the plant"
    assert seen["description"] == made["description"] == "Bring boots"
    assert seen["participants"] == made["participants"]
    assert [person["kind"] for person in made["participants"]] == ["user", "external"]
    assert seen["attachment_urls"] == made["attachmentUrls"] == PAPERS
    assert (seen["due_at"], seen["duration_minutes"], seen["location"]) == (DUE, 45, "Vienna office")
    assert (seen["activityable_type"], seen["activityable"]["name"]) == ("account", "Acme")
    assert (seen["status"], seen["assigned_user"]["id"]) == ("pending", "u-1")


def test_an_untitled_activity_bears_the_name_the_account_has_when_it_is_decided(accounts: Accounts) -> None:
    accounts.account(name="Zenith")
    assert accounts.create(type="REVIEW")["title"] == "Review with Zenith"
    assert accounts.create(title=None, type="FOLLOW_UP")["title"] == "Follow up with Zenith"
    accounts.account("long", name="x" * 255)
    title = accounts.create(accountId="long")["title"]
    assert len(title) == 255 and title.startswith("Call with xxx")


def test_each_type_has_its_word_here(accounts: Accounts) -> None:
    for type_, word in WORDS.items():
        made = accounts.create(type=word.title())
        assert (made["type"], accounts.client.get(made["uid"])["type"]) == (word, type_)
        assert accounts.get(in_status(accounts, Status.PENDING, type=type_))["type"] == word


def test_the_domains_word_for_a_site_visit_is_understood(accounts: Accounts) -> None:
    assert accounts.create(type="visit")["type"] == "SITE_VISIT"


def test_logging_what_took_place(accounts: Accounts) -> None:
    made = accounts.create(status="completed", activityTimestamp=PAST)
    assert (made["status"], made["activityTimestamp"], made["duration"]) == ("COMPLETED", PAST, 45)
    assert last_two(accounts) == ["activity.created.v1", "activity.completed.v1"]
    seen = accounts.client.get(made["uid"])
    assert (seen["status"], seen["completed_at"], seen["actual_duration_minutes"]) == ("completed", PAST, 45)


def test_logging_what_did_not_take_place(accounts: Accounts) -> None:
    made = accounts.create(status="CANCELLED", activityTimestamp=PAST)
    assert (made["status"], made["activityTimestamp"]) == ("CANCELLED", PAST)
    assert last_two(accounts) == ["activity.created.v1", "activity.cancelled.v1"]
    assert accounts.client.get(made["uid"])["status"] == "cancelled"


def test_nothing_is_completed_in_the_future(accounts: Accounts) -> None:
    before = accounts.client.recorded()
    said = {**A_VISIT, "status": "COMPLETED", "activityTimestamp": FUTURE}
    problem = accounts.refused(422, "POST", "", said)
    assert problem["errors"] == {"activityTimestamp": ["must not lie in the future"]}
    assert accounts.client.recorded() == before


def test_an_unknown_account_is_a_related_entity_not_found(accounts: Accounts) -> None:
    problem = accounts.refused(422, "POST", "", {**A_VISIT, "accountId": "a-404"})
    assert problem["code"] == "related_entity_not_found"
    assert problem["errors"] == {"accountId": ["Related entity not found"]}


def test_required_fields_are_named_as_they_are_here(accounts: Accounts) -> None:
    problem = accounts.refused(422, "POST", "", {})
    assert problem["errors"] == {field: ["Field required"] for field in A_VISIT}
    assert [*accounts.refused(422, "POST", "", dict.fromkeys(A_VISIT))["errors"]] == [*A_VISIT]


REFUSED = [
    ("accountId", ""),
    ("accountId", 7),
    ("accountId", "x" * 65),
    ("activityTimestamp", "2030-05-01T10:00:00"),
    ("activityTimestamp", "tomorrow"),
    ("activityTimestamp", "0001-01-01T00:00:00+14:00"),
    ("duration", -1),
    ("duration", "45"),
    ("duration", 45.5),
    ("location", "  "),
    ("location", "x" * 256),
    ("type", "DINNER"),
    ("type", None),
    ("status", "IN_PROGRESS"),
    ("status", "OVERDUE"),
    ("title", " "),
    ("title", "x" * 256),
    ("description", "\x00"),
    ("participants", "u-1"),
    ("participants.0.kind", [{"kind": "alien"}]),
    ("attachmentUrls.0", ["ftp://files.example/0"]),
]


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_values_that_cannot_be_are_refused_by_field(accounts: Accounts, field: str, value: object) -> None:
    name = field.partition(".")[0]
    assert [*accounts.refused(422, "POST", "", {**A_VISIT, name: value})["errors"]] == [field]
    made = accounts.create()
    assert [*accounts.refused(422, "PUT", f"/{made['id']}", {name: value})["errors"]] == [field]


UNKNOWN = ["id", "uid", "isActive", "createdAt", "creatorId", "due_at", "account_id", "subject", "priority"]


def test_fields_unknown_here_are_refused_by_name(accounts: Accounts) -> None:
    made = accounts.create()
    unknown = dict.fromkeys(UNKNOWN, "x")
    assert [*accounts.refused(422, "POST", "", {**A_VISIT, **unknown})["errors"]] == UNKNOWN
    assert [*accounts.refused(422, "PUT", f"/{made['id']}", unknown)["errors"]] == UNKNOWN


# Which activities are seen


def test_an_account_sees_what_is_about_it_or_about_a_record_that_names_it(accounts: Accounts) -> None:
    client = accounts.client
    accounts.account("a-2")
    client.record("contacts", "p-1", account_id="a-1")
    client.record("opportunities", "o-1", account_id="a-2")
    client.record("leads", "l-1")
    own = in_status(accounts, Status.PENDING)
    customers = client.create()
    contacts = client.create(activityable_type="contact", activityable_id="p-1")
    others = client.create(activityable_type="opportunity", activityable_id="o-1")
    nobodys = client.create(activityable_type="lead", activityable_id="l-1", contact_id="p-1")
    ids = {a["id"] for a in (own, customers, contacts)}
    assert set(accounts.uids("?accountId=a-1")) == ids
    assert accounts.uids("?accountId=a-2") == [others["id"]]
    assert set(accounts.uids()) == ids | {others["id"]}
    assert accounts.uids("?accountId=a-404") == []
    seen = accounts.get(customers)
    assert (seen["accountId"], seen["account"]) == ("a-1", "Acme")
    for method in ("GET", "PUT", "DELETE"):
        accounts.refused(404, method, f"/{nobodys['id']}", {} if method == "PUT" else None)
    accounts.refused(404, "DELETE", f"/{nobodys['id']}/attachments/0")
    assert client.get(nobodys)["deleted_at"] is None


def test_a_record_may_come_to_an_account_and_leave_it(accounts: Accounts) -> None:
    activity = accounts.client.create()
    accounts.account("a-2", name="Bolt")
    accounts.client.record("customers", "c-1", account_id="a-2")
    assert (accounts.get(activity)["account"], accounts.put(activity)["account"]) == ("Bolt", "Bolt")
    assert accounts.uids("?accountId=a-1") == []
    accounts.client.record("customers", "c-1", account_id=None)
    accounts.refused(404, "GET", f"/{activity['id']}")
    accounts.refused(404, "PUT", f"/{activity['id']}", {})


def test_accounts_with_ulids_are_the_same_in_either_case(accounts: Accounts) -> None:
    account = accounts.client.ok("POST", "/accounts", {"name": "Upper"})["data"]["id"]
    made = accounts.create(accountId=account.lower())
    assert (made["account"], made["accountId"]) == ("Upper", account)
    for name in (account, account.lower()):
        assert accounts.uids(f"?accountId={name}") == [made["uid"]]


def test_an_activity_is_known_by_its_number_and_by_its_ulid_in_either_case(accounts: Accounts) -> None:
    made = accounts.create()
    for name in (made["id"], made["uid"], made["uid"].lower()):
        assert accounts.get(name) == made
        assert accounts.put(name)["uid"] == made["uid"]


NO_ACTIVITIES = ["0", "999999", "9" * 19, "9" * 25, "-1", "1.0", "x", "²", "01HWXYZB23ABC456DEF789GHI0"]


@pytest.mark.parametrize("name", NO_ACTIVITIES)
def test_what_is_no_activity_is_not_found(accounts: Accounts, name: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        problem = accounts.refused(404, method, f"/{name}", {} if method == "PUT" else None)
        assert problem["message"] == "Activity not found"


def test_the_number_of_another_kind_of_fact_is_no_activity(accounts: Accounts) -> None:
    made = accounts.create()
    accounts.put(made, duration=10)
    for number in (made["id"] - 1, made["id"] + 1):
        accounts.refused(404, "GET", f"/{number}")


def test_other_organizations_activities_are_not_found(accounts: Accounts, service: Service) -> None:
    made = accounts.create()
    with service.client() as foreign:
        elsewhere = Accounts(foreign)
        elsewhere.account()
        for name in (made["uid"], made["id"]):
            elsewhere.refused(404, "GET", f"/{name}")
            elsewhere.refused(404, "DELETE", f"/{name}")
        assert elsewhere.ok("GET", "?accountId=a-1") == []


# Lists


def test_pages_are_counted_from_one_with_the_latest_first(accounts: Accounts) -> None:
    undated = accounts.client.create()
    days = [accounts.create(activityTimestamp=f"2030-01-0{day}T00:00:00Z")["uid"] for day in range(1, 5)]
    past = accounts.create(status="COMPLETED", activityTimestamp=PAST)["uid"]
    order = [*reversed(days), past, undated["id"]]
    body = accounts.call("GET", "?accountId=a-1&page=2&limit=4").json()
    assert [row["uid"] for row in body["data"]] == order[4:]
    assert body["meta"] == {"page": 2, "limit": 4, "total": 6}
    assert accounts.uids("?accountId=a-1&limit=4") == order[:4]
    beyond = accounts.call("GET", "?page=9").json()
    assert (beyond["data"], beyond["meta"]) == ([], {"page": 9, "limit": 25, "total": 6})


def test_lists_are_narrowed_by_type_and_status(accounts: Accounts) -> None:
    made = {status: in_status(accounts, status)["id"] for status in Status}
    visit = accounts.create(type="SITE_VISIT")["uid"]
    chat = accounts.create(type="CHAT", status="CANCELLED")["uid"]
    assert set(accounts.uids("?status=pending")) == {made[status] for status in OPEN} | {visit}
    assert accounts.uids("?status=COMPLETED") == [made[Status.COMPLETED]]
    closed = {made[Status.COMPLETED], made[Status.CANCELLED], chat}
    assert set(accounts.uids("?status=completed,cancelled")) == closed
    assert accounts.uids("?type=SITE_VISIT&accountId=a-1") == [visit]
    assert set(accounts.uids("?type=site_visit,CHAT")) == {visit, chat}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("account_id=a-1", "account_id"),
        ("per_page=5", "per_page"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("accountId=", "accountId"),
        ("status=waiting", "status"),
        ("type=dinner", "type"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(accounts: Accounts, query: str, field: str) -> None:
    assert [name.partition(".")[0] for name in accounts.refused(422, "GET", f"?{query}")["errors"]] == [field]


# Statuses


@pytest.mark.parametrize("status", Status)
def test_what_is_open_reads_pending_and_the_truth_stands_beside(accounts: Accounts, status: Status) -> None:
    seen = accounts.get(in_status(accounts, status))
    assert seen["status"] == ("PENDING" if status in OPEN else status.upper())
    assert seen["statusConfiguration"] == {"value": status.upper(), "label": status.label}
    assert accounts.uids() == [seen["uid"]]


def test_the_timestamp_is_when_it_is_due_and_then_when_it_happened(accounts: Accounts) -> None:
    activity = in_status(accounts, Status.PENDING)
    assert accounts.get(activity)["activityTimestamp"] == DUE
    accounts.client.act(activity, "complete", completed_at=PAST, duration_minutes=7)
    seen = accounts.get(activity)
    assert (seen["activityTimestamp"], seen["duration"]) == (PAST, 7)


def test_the_timestamp_of_what_was_cancelled_is_when_it_was_due(accounts: Accounts) -> None:
    assert accounts.get(in_status(accounts, Status.CANCELLED))["activityTimestamp"] == DUE


# Changing


@pytest.mark.parametrize(
    ("here", "value", "there"),
    [
        ("activityTimestamp", LATER, "due_at"),
        ("duration", 5, "duration_minutes"),
        ("location", "Phone", "location"),
        ("title", "New", "subject"),
        ("description", "Notes", "description"),
        ("description", None, "description"),
        ("attachmentUrls", PAPERS, "attachment_urls"),
        ("participants", [{"kind": "user", "id": "u-1"}], "participants"),
    ],
)
def test_what_is_changed_here_changes_there(accounts: Accounts, here: str, value: object, there: str) -> None:
    made = accounts.create(description="Old")
    changed = accounts.put(made, **{here: value})
    assert changed[here] == value
    assert {k for k in changed if changed[k] != made[k]} == {here, "updatedAt"}
    assert accounts.client.get(made["uid"])[there] == value
    assert accounts.get(made) == changed


def test_null_empties_lists_and_makes_the_title_anew(accounts: Accounts) -> None:
    made = accounts.create(title="Talk", participants=["u-1"], attachmentUrls=PAPERS)
    changed = accounts.put(made, title=None, participants=None, attachmentUrls=None, type="MEETING")
    assert changed["title"] == "Meeting with Acme"
    assert (changed["participants"], changed["attachmentUrls"]) == ([], [])


def test_moving_it_counts_as_a_reschedule(accounts: Accounts) -> None:
    made = accounts.create()
    accounts.client.patch(made["uid"], reminder_at="2030-05-01T09:45:00Z")
    assert accounts.put(made, activityTimestamp=LATER)["activityTimestamp"] == LATER
    seen = accounts.client.get(made["uid"])
    assert (seen["rescheduled_count"], seen["previous_due_at"]) == (1, DUE)
    assert seen["reminder_at"] == "2030-06-01T09:45:00Z"
    before = accounts.client.recorded()
    accounts.put(made, activityTimestamp="2030-06-01T12:00:00+02:00")
    assert accounts.client.recorded() == before


def test_completing_says_when_it_happened_and_how_long_it_took(accounts: Accounts) -> None:
    made = accounts.create()
    changed = accounts.put(made, status="completed", activityTimestamp=PAST, duration=50)
    assert (changed["status"], changed["activityTimestamp"], changed["duration"]) == ("COMPLETED", PAST, 50)
    seen = accounts.client.get(made["uid"])
    assert (seen["completed_at"], seen["due_at"], seen["rescheduled_count"]) == (PAST, DUE, 0)
    assert (seen["planned_duration_minutes"], seen["actual_duration_minutes"]) == (45, 50)


def test_completing_without_a_timestamp_is_now(accounts: Accounts) -> None:
    changed = accounts.put(accounts.create(), status="COMPLETED")
    assert changed["activityTimestamp"] == changed["updatedAt"]


def test_completing_in_the_future_is_refused(accounts: Accounts) -> None:
    said = {"status": "COMPLETED", "activityTimestamp": FUTURE}
    problem = accounts.refused(422, "PUT", f"/{accounts.create()['id']}", said)
    assert [*problem["errors"]] == ["activityTimestamp"]


def test_cancelling_keeps_the_due_date_and_may_move_it(accounts: Accounts) -> None:
    assert accounts.put(accounts.create(), status="CANCELLED")["activityTimestamp"] == DUE
    moved = accounts.put(accounts.create(), status="CANCELLED", activityTimestamp=LATER)
    assert (moved["status"], moved["activityTimestamp"]) == ("CANCELLED", LATER)


@pytest.mark.parametrize("status", OPEN)
def test_what_is_open_stays_as_it_is_when_it_shall_be_pending(accounts: Accounts, status: Status) -> None:
    activity = in_status(accounts, status)
    before = accounts.client.recorded()
    assert accounts.put(activity, status="PENDING")["statusConfiguration"]["value"] == status.upper()
    assert accounts.client.recorded() == before


@pytest.mark.parametrize(
    ("status", "said", "allowed"),
    [
        (Status.COMPLETED, {"status": "PENDING"}, "update delete"),
        (Status.COMPLETED, {"status": "CANCELLED"}, "update delete"),
        (Status.COMPLETED, {"duration": 5}, "update delete"),
        (Status.COMPLETED, {"activityTimestamp": DUE}, "update delete"),
        (Status.COMPLETED, {"status": "COMPLETED", "activityTimestamp": PAST}, "update delete"),
        (Status.CANCELLED, {"status": "PENDING"}, "recreate delete"),
        (Status.CANCELLED, {"status": "COMPLETED"}, "recreate delete"),
        (Status.CANCELLED, {"title": "Other"}, "recreate delete"),
        (Status.CANCELLED, {"activityTimestamp": LATER}, "recreate delete"),
        (Status.IN_PROGRESS, {"activityTimestamp": LATER}, "defer wait complete cancel update delete"),
        (Status.WAITING, {"location": "Phone"}, "resume reschedule complete cancel delete"),
        (Status.DEFERRED, {"status": "COMPLETED"}, "reschedule cancel update delete"),
    ],
)
def test_the_lifecycle_is_obeyed(accounts: Accounts, status: Status, said: Json, allowed: str) -> None:
    activity = in_status(accounts, status)
    before = accounts.client.recorded()
    problem = accounts.refused(409, "PUT", f"/{activity['id']}", said)
    assert problem["allowed_actions"] == allowed.split()
    assert "due_at" not in problem["detail"] and "duration_minutes" not in problem["detail"]
    assert accounts.client.recorded() == before


def test_a_deferred_activity_given_a_date_is_pending_again(accounts: Accounts) -> None:
    changed = accounts.put(in_status(accounts, Status.DEFERRED), activityTimestamp=LATER, status="PENDING")
    assert changed["statusConfiguration"]["value"] == "PENDING"


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "CANCELLED"])
def test_saying_it_all_again_changes_nothing(accounts: Accounts, status: str) -> None:
    said = {**A_VISIT, "status": status, "activityTimestamp": PAST, "title": "Talk", "type": "MEETING"}
    made = accounts.create(**said)
    before = accounts.client.recorded()
    assert accounts.put(made, **said) == made
    assert accounts.client.recorded() == before


def test_notes_of_a_completed_activity_can_be_written(accounts: Accounts) -> None:
    changed = accounts.put(in_status(accounts, Status.COMPLETED), description="Went well")
    assert changed["description"] == "Went well"


def test_an_activity_can_be_given_to_another_account(accounts: Accounts) -> None:
    made = accounts.create()
    accounts.account("a-2", name="Bolt")
    changed = accounts.put(made, accountId="a-2")
    assert (changed["accountId"], changed["account"], changed["title"]) == ("a-2", "Bolt", "Call with Acme")
    assert accounts.put(made, accountId="a-2", title=None)["title"] == "Call with Bolt"
    problem = accounts.refused(422, "PUT", f"/{made['id']}", {"accountId": "a-404"})
    assert problem["errors"] == {"accountId": ["Related entity not found"]}


def test_naming_the_account_of_its_customer_leaves_it_with_the_customer(accounts: Accounts) -> None:
    activity = accounts.client.create()
    assert accounts.put(activity, accountId="a-1", duration=5)["accountId"] == "a-1"
    assert accounts.client.get(activity)["activityable_type"] == "customer"
    accounts.account("a-2")
    accounts.put(activity, accountId="a-2")
    assert accounts.client.get(activity)["activityable_type"] == "account"


# Deleting


def test_deleted_is_gone_from_both_surfaces_until_it_is_restored(accounts: Accounts) -> None:
    made = accounts.create(attachmentUrls=PAPERS)
    reply = accounts.call("DELETE", f"/{made['id']}").json()
    assert reply["message"] == "Activity deleted successfully"
    gone = reply["data"]
    assert (gone["isActive"], gone["deletedAt"]) == (False, gone["updatedAt"])
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("DELETE", "/attachments/0")):
        for name in (made["id"], made["uid"]):
            accounts.refused(404, method, f"/{name}{path}", {} if method == "PUT" else None)
    assert accounts.uids() == []
    assert accounts.client.call("GET", f"/activities/{made['uid']}").status_code == 404
    accounts.client.act(made["uid"], "restore")
    assert accounts.get(made) | {"updatedAt": ""} == made | {"updatedAt": ""}


def test_attachments_are_taken_off_one_by_one(accounts: Accounts) -> None:
    made = accounts.create(attachmentUrls=PAPERS)
    path = f"/{made['id']}/attachments"
    assert accounts.ok("DELETE", f"{path}/1")["attachmentUrls"] == [PAPERS[0], PAPERS[2]]
    assert accounts.ok("DELETE", f"/{made['uid'].lower()}/attachments/0")["attachmentUrls"] == [PAPERS[2]]
    assert accounts.client.get(made["uid"])["attachment_urls"] == [PAPERS[2]]
    assert accounts.ok("DELETE", f"{path}/0")["attachmentUrls"] == []
    for place in ("0", "1", "-1", "x", "9" * 30):
        assert accounts.refused(404, "DELETE", f"{path}/{place}")["message"] == "Attachment not found"


def test_of_many_who_take_the_first_attachment_off_each_takes_another(accounts: Accounts) -> None:
    path = f"/{accounts.create(attachmentUrls=PAPERS)['id']}/attachments/0"
    with ThreadPoolExecutor(4) as crowd:
        replies = list(crowd.map(lambda _: accounts.call("DELETE", path), range(4)))
    assert sorted(reply.status_code for reply in replies) == [200, 200, 200, 404]
    left = [reply.json()["data"]["attachmentUrls"] for reply in replies if reply.is_success]
    assert sorted(left, key=len) == [[], PAPERS[2:], PAPERS[1:]]


def test_attachments_stay_where_updates_are_not_allowed(accounts: Accounts) -> None:
    activity = in_status(accounts, Status.COMPLETED, attachment_urls=PAPERS)
    problem = accounts.refused(409, "DELETE", f"/{activity['id']}/attachments/0")
    assert problem["allowed_actions"] == ["update", "delete"]
    assert "attachmentUrls" in problem["detail"]


# Retries and versions


def test_a_repeated_request_is_answered_again_and_done_once(accounts: Accounts) -> None:
    first = accounts.call("POST", "", dict(A_VISIT), Idempotency_Key="k-1")
    again = accounts.call("POST", "", dict(A_VISIT), Idempotency_Key="k-1")
    assert (again.content, again.status_code) == (first.content, 201)
    assert again.headers["idempotent-replayed"] == "true"
    problem = accounts.refused(422, "POST", "", {**A_VISIT, "duration": 1}, Idempotency_Key="k-1")
    assert problem["code"] == "idempotency_key_reused"
    activity = accounts.put(first.json()["data"], attachmentUrls=PAPERS)
    for _ in range(2):
        accounts.ok("DELETE", f"/{activity['id']}/attachments/0", Idempotency_Key="k-2")
    assert accounts.get(activity)["attachmentUrls"] == PAPERS[1:]
    for _ in range(2):
        assert accounts.ok("DELETE", f"/{activity['id']}", Idempotency_Key="k-3")["isActive"] is False


def test_etags_tell_versions(accounts: Accounts) -> None:
    made = accounts.call("POST", "", dict(A_VISIT))
    path = f"/{made.json()['data']['id']}"
    read = accounts.call("GET", path)
    assert accounts.call("GET", path, If_None_Match=read.headers["etag"]).status_code == 304
    assert accounts.call("PUT", path, {"duration": 1}, If_Match=read.headers["etag"]).status_code == 200
    stale = made.headers["etag"]
    commands = [
        ("PUT", path, {"duration": 2}),
        ("DELETE", path, None),
        ("DELETE", f"{path}/attachments/0", None),
    ]
    for method, where, body in commands:
        problem = accounts.refused(412, method, where, body, If_Match=stale)
        assert problem["code"] == "stale_version"


TWICE = '{"duration": 1, "duration": 1}'


@pytest.mark.parametrize(("body", "status"), [("{", 400), ("", 400), ("[]", 422), (TWICE, 400)])
def test_bodies_are_read_as_strictly_as_on_surface_s(accounts: Accounts, body: str, status: int) -> None:
    reply = accounts.client.call(
        "POST", accounts.url, content=body, headers=accounts.headers | {"Content-Type": "application/json"}
    )
    assert reply.status_code == status


def test_other_methods_are_not_allowed(accounts: Accounts) -> None:
    assert accounts.refused(405, "PATCH", f"/{accounts.create()['id']}", {})["code"] == "method_not_allowed"
