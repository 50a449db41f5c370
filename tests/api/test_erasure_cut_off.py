"""The worker that erases somebody is killed in the middle: nobody asks again, and it comes to its end all the same."""

import asyncio
import threading
from collections import Counter

import httpx
import pytest
from service import Client, Service, eventually

from api.http.tokens import SCOPES
from application.activity.create_activity import CreateActivity, create_activity
from application.command import Actor, Answer, Order, Policy
from application.desk import Desk
from application.event_store.keyring import RING
from application.postgres.connections import writer_of
from domain.activity.drafts import NewActivity

BOUND = 60.0
CALLS = 3_000
BLANKED = "activity.personal_data_erased.v1"
CANARY = "zqcutoffx"
ADDRESS = f"{CANARY}@prospect.example"
SAID = {
    "contact": {"contact_id": "pat", "subject": f"Call {CANARY}"},
    "outsider": {"subject": "Call", "participants": [{"name": CANARY, "email": ADDRESS}]},
}
ASKED = {"contact": ("/contacts/pat/erase", {}), "outsider": ("/participants/erase", {"email": ADDRESS})}


async def fill(dsn: str, organization: str, whose: str) -> None:
    about = {"type": "call", "activityable_type": "account", "activityable_id": "a"}
    new = NewActivity.model_validate(about | SAID[whose])
    made = [CreateActivity(organization_id=organization, actor=Actor(user_id="u-1"), new=new) for _ in range(CALLS)]
    desk = Desk(writer_of(dsn), policy=Policy(strict_references=False), lanes=1, most_at_once=512)
    async with desk.opened():
        await asyncio.gather(*(desk.serve(Order(one, create_activity, lambda _: Answer(200, b""))) for one in made))


def readable(client: Client) -> bool:
    """Whether anything in the log, opened with every key there is, says it."""
    RING.forget(client.organization)
    return CANARY in str(client.log())


def topics(client: Client) -> Counter[str]:
    return Counter(topic for topic, _ in client.log())


@pytest.mark.parametrize("whose", ["contact", "outsider"])
def test_killed_in_the_middle_it_is_complete_within_the_bound(database: str, whose: str) -> None:
    with Service(database, workers=1) as service, service.client(scopes=SCOPES) as client:
        asyncio.run(fill(database, client.organization, whose))
        client.rows()
        path, more = ASKED[whose]

        def ask() -> None:
            with pytest.raises(httpx.TransportError):  # nobody answers any more
                client.call("POST", path, {"basis": "objection"} | more)

        asking = threading.Thread(target=ask)
        asking.start()
        eventually(lambda: client.recorded() > CALLS + 2, BOUND, "the first stretch")
        service.kill_worker(1)
        asking.join()
        cut = topics(client)
        assert 0 < cut[BLANKED] < CALLS, "it is killed in the middle"
        assert cut["erasure.completed.v1"] == 0
        assert readable(client)

        eventually(lambda: topics(client)["erasure.completed.v1"] == 1, BOUND, "its end")
        told = topics(client)
        assert (told[BLANKED], told["erasure.begun.v1"]) == (CALLS, 1)
        assert not readable(client)
        service.await_ready()
        with service.client(client.organization) as anew:
            assert CANARY not in anew.call("GET", "/activities?per_page=100").text
            assert anew.rows("/activities/search", q=CANARY) == []
