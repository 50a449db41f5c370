"""Who changed what in the organisation, between any two moments, for auditors."""

from typing import Any

import pytest
from accounts import key_of
from service import FROM_THE_FUTURE, Client, Json, Service

from api.http.audit_changes import MOST_LOOKED_AT
from api.http.tokens import SCOPES

CHANGES = "/audit/changes"
SOMEBODY = '{"at":"2026-01-01T00:00:00Z","id":"c-3","kind":"customer","fields":{"name":"Customer"}}'
"""A record that was created, stored in plain: a sealed fact put elsewhere would be no fact at all."""


def changes(client: Client, **asked: Any) -> list[Json]:
    """All pages."""
    found: list[Json] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = client.ok("GET", CHANGES, params=asked | {"cursor": cursor})
        found += page["data"]
        cursor = page["meta"]["next_cursor"]
    return found


def positions(client: Client, **asked: Any) -> list[int]:
    return [change["position"] for change in changes(client, **asked)]


def test_every_change_is_told_as_its_history_tells_it(client: Client) -> None:
    call = client.create(due_at="2030-01-01T00:00:00Z")
    client.act(call, "reschedule", new_due_at="2030-01-02T00:00:00Z", reason="They asked")
    client.ok("PATCH", "/customers/c-1", {"status": "at_risk"})
    client.act(call, "complete", completed_at="2025-12-20T16:00:00Z")

    told = changes(client, per_page=3)

    assert [change["position"] for change in told] == [1, 2, 3, 4, 5]
    of_call = client.ok("GET", f"/activities/{call['id']}/history")["data"]
    of_customer = client.ok("GET", "/customers/c-1/history")["data"]
    about = {"kind": "activity", "id": call["id"], "record_kind": None}
    assert [told[1], told[2], told[4]] == [about | chapter for chapter in of_call]
    about = {"kind": "record", "id": "c-1", "record_kind": "customer"}
    assert [told[0], told[3]] == [about | chapter for chapter in of_customer]


def test_a_window_is_between_instants_or_positions(client: Client) -> None:
    for _ in range(5):
        client.create()
    at = {change["position"]: change["recorded_at"] for change in changes(client)}
    assert positions(client, **{"from": "position:2", "to": "position:4"}) == [3, 4]
    assert positions(client, **{"from": at[2], "to": at[4]}) == [3, 4]
    assert positions(client, **{"from": at[2]}) == [3, 4, 5, 6]
    assert positions(client, to="2020-01-01T00:00:00Z") == []
    assert positions(client, **{"from": "2090-01-01T00:00:00Z"}) == []


def test_filters_narrow_it(client: Client, service: Service) -> None:
    call = client.create()  # 2
    with service.client(client.organization, "u-2") as other:
        other.patch(call, subject="Of another")  # 3
    client.act(call, "complete")  # 4
    client.create()  # 5
    assert positions(client, actor_id="u-2") == [3]
    assert positions(client, actor_id=f"u-2,{client.user}") == [1, 2, 3, 4, 5]
    assert positions(client, type="activity.completed") == [4]
    assert positions(client, type="activity.created.v1,activity.updated.v1") == [2, 3, 5]
    assert positions(client, type="record") == [1]
    assert positions(client, activity_id=call["id"].lower()) == [2, 3, 4]
    assert positions(client, activity_id=call["id"], actor_id="u-2", type="activity") == [3]


def test_changes_about_a_record_are_those_of_activities_while_they_are_about_it(client: Client) -> None:
    client.record("customers", "c-2")  # 2
    client.record("leads", "c-2")  # 3
    call = client.create()  # 4
    client.patch(call, subject="About the first")  # 5
    client.patch(call, activityable_id="c-2")  # 6: of both
    client.patch(call, subject="About the second")  # 7
    assert positions(client, activityable_id="c-1") == [1, 4, 5, 6]
    assert positions(client, activityable_id="c-2", activityable_type="customer") == [2, 6, 7]
    assert positions(client, activityable_id="c-2") == [2, 3, 6, 7]
    assert positions(client, activityable_type="lead") == [3]
    assert positions(client, activityable_id="c-1", per_page=1) == [1, 4, 5, 6]


def test_keys_are_changes_too_but_what_they_are_recognised_by_is_not_told(client: Client, service: Service) -> None:
    with service.client(client.organization, "administrator", scopes=SCOPES) as administrator:
        key = key_of(client)
        administrator.ok("DELETE", f"/api-keys/{key.split('_')[1]}")
    made, revoked = changes(client, type="api_key")
    assert made["id"] == revoked["id"] == key.split("_")[1]
    assert made["changes"]["scopes"]["after"]
    assert revoked["changes"].keys() == {"revoked_at"}
    assert "secret_hmac" not in str((made, revoked))


def test_a_fact_that_cannot_be_read_hides_no_other(client: Client, service: Service) -> None:
    call, other = client.create(), client.create()
    with client.unreadable(call_position(client, call)):
        client.patch(other, subject="Still told")
        told = changes(client)
    assert [change["changes"] is None for change in told] == [False, True, False, False]
    assert told[1]["type"] == FROM_THE_FUTURE


def call_position(client: Client, call: Json) -> int:
    return int(client.ok("GET", f"/activities/{call['id']}/history")["data"][0]["position"])


def test_it_is_for_auditors_of_the_organisation(client: Client, service: Service) -> None:
    client.create(subject="A secret of ours")
    with service.client(client.organization, scopes=("activities:read",)) as clerk, service.client() as stranger:
        assert clerk.call("GET", CHANGES).status_code == 403
        assert stranger.ok("GET", CHANGES)["data"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "1"}, "from"),
        ({"to": "yesterday"}, "to"),
        ({"from": "position:3", "to": "position:2"}, "from"),
        ({"type": "activity.exploded"}, "type"),
        ({"activity_id": "nobody"}, "activity_id"),
        ({"activityable_type": "planet"}, "activityable_type"),
        ({"page": "2"}, "page"),
    ],
    ids=str,
)
def test_nonsense_is_refused_by_name(client: Client, asked: dict[str, str], field: str) -> None:
    reply = client.call("GET", CHANGES, params=asked)
    assert reply.status_code == 422
    assert field in reply.json()["errors"]


def test_a_page_looks_at_so_much_and_says_where_to_go_on(client: Client) -> None:
    """Of a log that is mostly about others a page may be short; the pages together leave nothing out."""
    many = MOST_LOOKED_AT + 600
    client.record("customers", "c-2")
    late = client.create(activityable_id="c-2")
    client._from_database(
        "with base as (select * from activities.events where organization_id = %s and position = 1),"
        " more as (insert into activities.events select b.organization_id, gen_random_uuid(), 1, b.topic,"
        f" convert_to('{SOMEBODY}', 'UTF8'), b.metadata, now(), 3 + n"
        f" from base b, generate_series(1, {many}) n returning position)"
        f" update activities.heads set position = 3 + {many} where organization_id = (select organization_id from base)"
        " returning position"
    )
    last = client.create(activityable_id="c-2")
    pages = [client.ok("GET", CHANGES, params={"activityable_id": "c-2"})]
    while (cursor := pages[-1]["meta"]["next_cursor"]) is not None:
        pages.append(client.ok("GET", CHANGES, params={"activityable_id": "c-2", "cursor": cursor}))
    assert len(pages) == 2
    found = [change["id"] for page in pages for change in page["data"]]
    assert found == ["c-2", late["id"], last["id"]]
