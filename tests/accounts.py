"""What one user of one organisation says on surface T, and the least there is to say there."""

from collections.abc import Mapping
from typing import Any

import httpx
from service import Client, Json

from api.http.tokens import DEFAULT_SCOPES

PATH = "/v1/accounts/activities"

A_VISIT: Mapping[str, Any] = {
    "accountId": "a-1",
    "activityTimestamp": "2030-05-01T10:00:00Z",
    "duration": 45,
    "location": "Vienna office",
}
"""The least one must say of an account's activity (the account must be there)."""


class Accounts:
    """A client's voice on surface T. Paths are relative to it; the three headers are always sent."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.url = client.service.url + PATH
        self.headers = {"X-API-Key": key_of(client), "X-Organization-ID": client.organization}

    def call(self, method: str, path: str = "", json: Any = None, **headers: str) -> httpx.Response:
        """The answer, whatever it is. Headers are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.call(method, f"{self.url}{path}", json, headers=self.headers | named)

    def ok(self, method: str, path: str = "", json: Any = None, **headers: str) -> Any:
        """The data of an answer that must be a success."""
        reply = self.call(method, path, json, **headers)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        assert reply.json()["success"] is True
        return reply.json()["data"]

    def account(self, id_: str = "a-1", **fields: Any) -> str:
        return self.client.record("accounts", id_, **fields)

    def create(self, **fields: Any) -> Json:
        made: Json = self.ok("POST", "", {**A_VISIT, **fields})
        return made

    def get(self, activity: Json | str | int) -> Json:
        found: Json = self.ok("GET", f"/{uid_of(activity)}")
        return found

    def put(self, activity: Json | str | int, **fields: Any) -> Json:
        changed: Json = self.ok("PUT", f"/{uid_of(activity)}", fields)
        return changed

    def uids(self, query: str = "") -> list[str]:
        """The ULIDs of the activities on one page, in its order."""
        return [row["uid"] for row in self.ok("GET", query)]

    def refused(self, status: int, method: str, path: str = "", json: Any = None, **headers: str) -> Json:
        """The problem of an answer that must be a refusal."""
        reply = self.call(method, path, json, **headers)
        assert reply.status_code == status, f"{method} {path}: {reply.status_code} {reply.text}"
        assert reply.headers["content-type"] == "application/problem+json"
        problem: Json = reply.json()
        assert problem["success"] is False and problem["status"] == status
        return problem


def key_of(client: Client, *scopes: str) -> str:
    """A new API key of the client's organisation; may do all but administer unless told otherwise."""
    said = {"name": "Thena", "scopes": scopes or DEFAULT_SCOPES}
    with client.service.client(client.organization, "administrator", scopes=("admin",)) as administrator:
        key: str = administrator.ok("POST", "/api-keys", said)["data"]["key"]
        return key


def uid_of(activity: Json | str | int) -> str:
    """The ULID of an activity as either surface shows it."""
    if isinstance(activity, dict):
        return str(activity.get("uid", activity["id"]))
    return str(activity)
