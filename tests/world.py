"""An organisation with everything the examples of the OpenAPI document speak of, and something for each operation."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import httpx
from accounts import Accounts, key_of
from openapi import Operation
from service import Client

from api.http.directory import NOUNS
from api.openapi.examples.activities import CALL_ID, NOTE_ID


class World:
    """An organisation with the records the examples speak of, and a client that may do everything."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.records()
        for noun in NOUNS.values():
            client.record(noun, "acme")
            client.record(noun, "beta")
        self.accounts = Accounts(client)
        self.accounts.headers["X-API-Key"] = key_of(client)

    def ask(self, operation: Operation, body: Any = None, query: Mapping[str, Any] | None = None) -> httpx.Response:
        url = f"{self.client.service.url}{self.path(operation)}"
        headers = self.headers(operation.path)
        return self.client.call(operation.method.upper(), url, body, params=query, headers=headers)

    def headers(self, path: str) -> dict[str, str]:
        """What is to be sent there beside the token."""
        return self.accounts.headers if path.startswith("/v1/") else {}

    def path(self, operation: Operation) -> str:
        """The operation's path, with something it can be done to."""
        return operation.path.format(**self.places(operation.id, operation.path))

    def places(self, operation_id: str, path: str) -> dict[str, str]:
        """What to put into the path, so that the operation can be done to it."""
        if "{activity_id}" in path:
            return {"activity_id": BEFORE.get(operation_id, activity)(self)}
        if "{activityId}" in path:
            return {"activityId": str(account_activity(self))} | ({"n": "0"} if "{n}" in path else {})
        if "{key_id}" in path:
            return {"key_id": self.client.ok("POST", "/api-keys", {"name": "a key"})["data"]["id"]}
        if "{record_id}" in path:
            id_ = f"record-{uuid4().hex}" if path.endswith("/erase") else "some-record"  # what is erased is closed
            return {"record_id": self.client.record(path.split("/")[4], id_)}
        return {}

    def body(self, said: Any) -> Any:
        """The example with activities of this organisation in it."""
        text = json.dumps(said)
        for example in (CALL_ID, NOTE_ID):
            if example in text:
                text = text.replace(example, activity(self))
        return json.loads(text)


def activity(world: World) -> str:
    made = world.client.create(
        activityable_type="opportunity",
        activityable_id="01hwxyz823abc456def789ghi0",
        contact_id="01hwxyz123abc456def789ghi0",
        due_at="2025-01-20T14:00:00Z",
        reminder_at="2025-01-20T13:45:00Z",
        duration_minutes=30,
        participants=["u-1", {"kind": "external", "name": "Kim", "attended": True}],
        follow_up_date="2025-12-23",
    )
    return str(made["id"])


def account_activity(world: World) -> int:
    return int(world.accounts.create(accountId="acme", attachmentUrls=["https://files.example/1"])["id"])


def waiting(world: World) -> str:
    return str(world.client.act(activity(world), "wait")["id"])


def cancelled(world: World) -> str:
    return str(world.client.act(activity(world), "cancel")["id"])


def deleted(world: World) -> str:
    return str(world.client.delete(activity(world))["id"])


BEFORE: Mapping[str, Callable[[World], str]] = {
    "resume_activity": waiting,
    "recreate_activity": cancelled,
    "restore_activity": deleted,
}
