"""Every request of the SynthesQ guide, sent as it stands there, is accepted and answered as it shows."""

import re
from typing import Any

import pytest
from seed import CREATE, DOCUMENT, REQUESTS, SURFACE, Request
from service import Client, Json

AN_ACTIVITY = re.compile(r"\{\w*[iI]d\}|(?<=/activities/)01hwxyz\w{19}")
UNDETERMINED = {
    "id",
    "is_overdue",  # the guide's dates have passed since
    "created_at",
    "updated_at",
    "completed_at",
    "cancelled_at",
    "location",  # the guide shows more of it than it sends
    "total",  # of another organisation's list
    "last_page",
}
"""Fields whose values do not follow from the request."""
ABRIDGED = {"description", "outcome"}
"""Texts of which the guide's answers show the beginning."""


def test_no_request_of_the_guide_is_overlooked() -> None:
    mentions = DOCUMENT.read_text(encoding="utf-8").count(f"{SURFACE}/")
    described_only = 2  # "Endpoint: GET" of the list and of search: the examples below them are the requests
    assert len(REQUESTS) == mentions - described_only == 34
    assert sum(request.answer is not None for request in REQUESTS) == 9
    assert sum(request.text is not None for request in REQUESTS) == 24


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_of_the_guide_is_answered_as_the_guide_shows(jane: Client, request_: Request) -> None:
    reply = sent(jane, request_, the_example(jane))
    assert reply.status_code == (request_.status or (201 if creates(request_) else 200)), reply.text
    body = reply.json()
    assert body["success"] is True
    assert body["message"]
    assert_says_as_much(body, request_.answer or {})
    if request_.status is None and isinstance(body.get("data"), dict):
        assert_follows_from(body["data"], request_.body)


def the_example(jane: Client) -> Json:
    """The activity the guide goes on about, with the rate its detail shows."""
    made: Json = jane.ok("POST", "/activities", {**CREATE.body, "is_billable": True, "billable_rate": 150.00})["data"]
    return made


def sent(jane: Client, request: Request, activity: Json) -> Any:
    """Ids that name an activity name a real one: the first `activity`, each further one another like it."""
    path = request.path.replace("{subject}", activity["subject"])
    path = AN_ACTIVITY.sub(activity["id"], path)
    text = request.text
    for example in request.body.get("activity_ids", []):
        text = (text or "").replace(example, the_example(jane)["id"])
    headers = {} if text is None else {"Content-Type": "application/json"}
    return jane.call(request.method, path, content=text, headers=headers)


def creates(request: Request) -> bool:
    return request.method == "POST" and request.path in ("/activities", "/opportunities")


def assert_says_as_much(said: Any, shown: Any, field: str = "") -> None:
    """Everything shown is there with the same JSON type and, where the request determines it, the same value."""
    if isinstance(shown, dict):
        assert isinstance(said, dict), field
        assert shown.keys() <= said.keys(), f"{field}: {shown.keys() - said.keys()} missing"
        for name, inner in shown.items():
            assert_says_as_much(said[name], inner, name)
    elif isinstance(shown, list) and shown and isinstance(shown[0], dict):
        assert isinstance(said, list) and said, field
        assert_says_as_much(said[0], shown[0], field)
    else:
        assert json_type(said) == json_type(shown), f"{field}: {said!r}, not like {shown!r}"
        if field in ABRIDGED:
            assert said.startswith(shown)
        elif field not in UNDETERMINED:
            assert said == shown, field


def assert_follows_from(said: Json, asked: Json) -> None:
    """What was asked for under the name it is shown with is shown."""
    for name in asked.keys() & said.keys():
        if name == "tags" and said.get("status") == "completed":
            assert set(asked["tags"]) <= set(said["tags"])  # a completion adds its tags
        else:
            assert said[name] == asked[name], name


def json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "array", dict: "object", type(None): "null"}[type(value)]
