"""What happened to a directory record can be read as what happened to an activity can."""

import pytest
from service import Client, Json, Service

from api.http.directory import NOUNS


@pytest.mark.parametrize("noun", NOUNS.values())
def test_every_kind_of_record_has_a_history(client: Client, noun: str) -> None:
    client.record(noun, "r-1", name="First", notes="To be cleared")
    client.ok("PATCH", f"/{noun}/r-1", {"name": "Second", "notes": None})

    made, changed = history(client, noun)

    assert [made["type"], changed["type"]] == ["record.created.v1", "record.updated.v1"]
    assert [made["version"], changed["version"]] == [1, 2]
    assert made["changes"]["name"] == {"before": None, "after": "First"}
    assert made["changes"]["id"] == {"before": None, "after": "r-1"}
    assert changed["changes"] == {
        "name": {"before": "First", "after": "Second"},
        "notes": {"before": "To be cleared", "after": None},
    }
    assert made["position"] < changed["position"]
    assert made["recorded_at"] <= changed["recorded_at"] == changed["happened_at"]
    assert made["command_id"] != changed["command_id"]


def test_whoever_changed_it_is_named(client: Client, service: Service) -> None:
    client.record("users", "u-2", name="Second user")
    with service.client(client.organization, "u-2") as other:
        other.ok("PATCH", "/customers/c-1", {"status": "at_risk"})

    assert history(client, "customers", "c-1")[-1]["actor"] == {"id": "u-2", "name": "Second user"}


def test_true_in_place_of_one_is_a_change(client: Client) -> None:
    client.record(attributes={"flag": 1})
    client.ok("PATCH", "/customers/c-1", {"attributes": {"flag": True}})

    assert history(client, "customers", "c-1")[-1]["changes"] == {
        "attributes": {"before": {"flag": 1}, "after": {"flag": True}}
    }


def test_a_record_has_the_same_id_in_either_case_and_is_of_one_kind_only(client: Client) -> None:
    id_ = client.ok("POST", "/leads", {"name": "Lead"})["data"]["id"]

    assert history(client, "leads", id_.lower()) == history(client, "leads", id_)
    assert client.call("GET", f"/contacts/{id_}/history").status_code == 404


def test_unknown_and_foreign_records_have_none(client: Client, service: Service) -> None:
    assert client.call("GET", "/customers/nobody/history").status_code == 404
    with service.client() as stranger:
        assert stranger.call("GET", "/customers/c-1/history").status_code == 404


def history(client: Client, noun: str, id_: str = "r-1") -> list[Json]:
    told: list[Json] = client.ok("GET", f"/{noun}/{id_}/history")["data"]
    return told
