"""The guide's business scenarios and its troubleshooting, request by request, each in the words of the guide."""

from datetime import UTC, datetime, timedelta

import pytest
from seed import Request, steps
from service import Client, Json, id_of

CUSTOMER = "01hwxyz523abc456def789ghi0"
UNRESPONSIVE = "01hwxyz423abc456def789ghi0"
OPPORTUNITY = "01hwxyz923abc456def789ghi0"
BIG_DEAL = "01hwxyz823abc456def789ghi0"
TRAINING_TEAM = "01hwxyzH23abc456def789ghi0"


def say(jane: Client, step: Request, activity: Json | None = None, **instead: object) -> Json:
    """The whole answer to a step; the activity its path names is `activity`."""
    path = step.path
    if activity is not None:
        noun, _, *action = path.strip("/").split("/")
        path = "/".join(["", noun, id_of(activity), *action])
    body = {**step.body, **instead} if step.text is not None else None
    return jane.ok(step.method, path, body)


def about(kind: str, id_: str) -> dict[str, str]:
    return {"activityable_type": kind, "activityable_id": id_}


def subjects(rows: list[Json]) -> list[str]:
    return [row["subject"] for row in rows]


def test_scenario_1_a_series_of_sales_calls(jane: Client) -> None:
    discovery_call, demo_call, follow_up_call, complete, update = steps("Scenario 1")

    discovery = say(jane, discovery_call)["data"]
    demo = say(jane, demo_call)["data"]
    follow_up = say(jane, follow_up_call)["data"]
    planned = jane.rows(**about("opportunity", OPPORTUNITY), status="pending", sort_by="due_at")
    assert [row["id"] for row in planned] == [discovery["id"], demo["id"], follow_up["id"]]
    assert {row["assigned_user"]["name"] for row in planned} == {"Jane Manager"}

    done = say(jane, complete, discovery)
    assert done["message"] == "Activity completed successfully"
    assert done["data"]["status"] == "completed"
    assert done["data"]["outcome"].startswith("Excellent discovery call.")
    assert done["data"]["tags"] == ["discovery", "new-opportunity", "completed", "positive"]
    assert (done["data"]["planned_duration_minutes"], done["data"]["duration_minutes"]) == (45, 52)
    assert "warnings" not in done
    left = jane.rows(**about("opportunity", OPPORTUNITY), status="open")
    assert [row["id"] for row in left] == [demo["id"], follow_up["id"]]

    opportunity = say(jane, update)["data"]
    assert opportunity.items() >= update.body.items()
    assert opportunity["name"] == "New opportunity"
    assert jane.get(demo)["activityable"]["value"] == 175000.00
    assert jane.get(demo)["activityable"]["budget_confirmed"] is True


def test_scenario_2_overdue_activities(jane: Client) -> None:
    overdue_list, reschedule, complete, cancel, update_customer = steps("Scenario 2")
    deal = jane.create(subject="Deal", due_at="2025-12-17T09:00:00Z", **about("opportunity", BIG_DEAL))
    task = jane.create(subject="Task", due_at="2025-12-15T09:00:00Z", type="task", **about("customer", CUSTOMER))
    silent = jane.create(subject="Silent", due_at="2025-12-16T09:00:00Z", **about("customer", UNRESPONSIVE))
    jane.create(
        subject="Not mine",
        due_at="2025-12-16T09:00:00Z",
        assigned_user_id=TRAINING_TEAM,
        **about("customer", CUSTOMER),
    )
    jane.create(subject="Not late", due_at="2099-12-16T09:00:00Z", **about("customer", CUSTOMER))

    late = jane.ok(overdue_list.method, overdue_list.path)
    assert subjects(late["data"]) == ["Task", "Silent", "Deal"]
    assert all(row["is_overdue"] and row["days_overdue"] > 0 for row in late["data"])
    assert late["meta"]["total"] == 3
    by_value = jane.rows("/activities/overdue", assigned_user_id="me", sort_by="entity_value", sort_direction="desc")
    assert subjects(by_value)[0] == "Deal"

    moved = say(jane, reschedule, deal)["data"]
    assert (moved["due_at"], moved["previous_due_at"]) == ("2025-12-19T09:00:00Z", "2025-12-17T09:00:00Z")
    assert (moved["rescheduled_count"], moved["priority"]) == (1, "high")

    done = say(jane, complete, task)["data"]
    assert (done["status"], done["duration_minutes"]) == ("completed", 15)

    given_up = say(jane, cancel, silent)["data"]
    assert given_up["status"] == "cancelled"
    assert given_up["cancellation_reason"] == cancel.body["reason"]
    assert given_up["successor_id"] is None
    assert given_up["allowed_actions"] == ["recreate", "delete"]

    customer = say(jane, update_customer)["data"]
    assert customer.items() >= update_customer.body.items()
    assert customer["name"] == "Customer 423"

    assert subjects(jane.rows("/activities/overdue", assigned_user_id="me")) == ["Deal"]


def test_scenario_3_after_the_meeting(jane: Client) -> None:
    complete, create_opportunity, training_task, expansion_call, note = steps("Scenario 3")
    meeting = jane.create(
        type="meeting",
        subject="QBR",
        due_at="2025-12-20T14:00:00Z",
        tags=["qbr"],
        **about("customer", CUSTOMER),
    )

    done = say(jane, complete, meeting)["data"]
    assert (done["status"], done["duration_minutes"]) == ("completed", 90)
    assert done["tags"] == ["qbr", "completed", "expansion-opportunity"]
    [owed] = jane.rows("/activities/follow-ups")
    assert owed["id"] == meeting["id"]
    assert owed["follow_up"] == {"due_on": "2025-12-27", "state": "open", "satisfied_by_id": None}

    opportunity = say(jane, create_opportunity)["data"]
    assert opportunity.items() >= create_opportunity.body.items()

    task = say(jane, training_task)["data"]
    assert task["assigned_user"]["name"] == "Training Team"
    assert jane.rows("/activities/follow-ups") == []
    [kept] = jane.rows("/activities/follow-ups", state="satisfied")
    assert (kept["id"], kept["follow_up"]["satisfied_by_id"]) == (meeting["id"], task["id"])

    call = say(jane, expansion_call, activityable_id=opportunity["id"])["data"]
    assert call["activityable"]["name"] == "Customer 575 - Department Expansion + Premium Support"
    assert call["contact"]["name"] == "Contact 223"

    logged = say(jane, note)
    assert logged["data"]["status"] == "completed"
    assert logged["data"]["completed_at"] == "2025-12-20T16:00:00Z"
    assert logged["data"]["description"].count("\n") == 5
    assert [warning["code"] for warning in logged["warnings"]] == ["outcome_missing"]
    history_of_customer = jane.rows(**about("customer", CUSTOMER), sort_by="created_at")
    assert [row["id"] for row in history_of_customer] == [meeting["id"], task["id"], logged["data"]["id"]]


def test_troubleshooting_an_activity_that_cannot_be_created(jane: Client) -> None:
    opportunity, customer, create, *_ = steps("Troubleshooting")
    unknown = {**create.body, "activityable_id": "01hwxyzZZ3abc456def789ghi0"}
    refused = jane.call(create.method, create.path, unknown)
    assert refused.status_code == 422
    assert refused.json()["message"] == "Related entity not found"
    assert refused.json()["code"] == "related_entity_not_found"
    assert list(refused.json()["errors"]) == ["activityable_id"]
    assert jane.call("GET", "/opportunities/01hwxyzZZ3abc456def789ghi0").status_code == 404

    assert say(jane, opportunity)["data"]["id"] == BIG_DEAL
    assert say(jane, customer)["data"]["name"] == "Customer 223"
    assert say(jane, create)["data"]["activityable"]["id"] == BIG_DEAL


def test_troubleshooting_the_right_id_under_the_wrong_type(jane: Client) -> None:
    create = steps("Troubleshooting")[2]
    refused = jane.call(create.method, create.path, {**create.body, "activityable_type": "customer"})
    assert (refused.status_code, refused.json()["message"]) == (422, "Related entity not found")


@pytest.mark.parametrize(
    "hides",
    [
        {"assigned_user_id": "me"},
        {"due_date_from": "2026-01-01"},
        {"due_date_to": "2025-12-01"},
        {"status": "completed,cancelled"},
    ],
    ids=str,
)
def test_troubleshooting_an_activity_that_does_not_appear_in_lists(jane: Client, hides: dict[str, str]) -> None:
    by_subject, by_id = steps("Troubleshooting")[3:5]
    lost = jane.create(
        subject="Lost and found",
        due_at="2025-12-20T10:00:00Z",
        assigned_user_id=TRAINING_TEAM,
        **about("customer", CUSTOMER),
    )
    assert jane.rows(**hides) == []
    found = jane.ok(by_subject.method, by_subject.path.replace("{subject}", lost["subject"]))["data"]
    assert [row["id"] for row in found] == [lost["id"]]
    assert jane.ok(by_id.method, by_id.path.replace("{id}", lost["id"]))["data"]["subject"] == "Lost and found"


def test_troubleshooting_too_many_overdue_activities(jane: Client) -> None:
    overdue_list, bulk_cancel, reschedule, complete = steps("Troubleshooting")[5:]
    stale = [
        jane.create(
            subject=f"Stale {n}",
            due_at=f"2025-11-0{n}T10:00:00Z",
            priority="low",
            **about("customer", CUSTOMER),
        )
        for n in (1, 2, 3)
    ]
    important = jane.create(
        subject="Important", due_at="2025-12-01T10:00:00Z", priority="high", **about("customer", CUSTOMER)
    )
    quick = jane.create(subject="Quick", due_at="2025-12-02T10:00:00Z", type="task", **about("customer", CUSTOMER))
    assert subjects(jane.ok(overdue_list.method, overdue_list.path)["data"]) == [
        "Stale 1",
        "Stale 2",
        "Stale 3",
        "Important",
        "Quick",
    ]

    ids = [row["id"] for row in stale]
    cancelled = say(jane, bulk_cancel, activity_ids=ids)["data"]
    assert cancelled["results"] == [{"id": id_, "ok": True} for id_ in ids]
    assert (cancelled["succeeded"], cancelled["failed"], cancelled["dry_run"]) == (3, 0, False)
    for row in stale:
        found = jane.get(row)
        assert (found["status"], found["cancellation_reason"]) == (
            "cancelled",
            "Stale activity, no longer relevant",
        )

    assert say(jane, reschedule, important)["data"]["due_at"] == "2025-12-19T10:00:00Z"
    assert say(jane, complete, quick)["data"]["outcome"] == "Task completed"
    assert subjects(jane.rows("/activities/overdue")) == ["Important"]

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    jane.act(important, "reschedule", new_due_at=tomorrow.isoformat())
    assert jane.rows("/activities/overdue") == []
