"""The command desk: batches in order, refusals and failures that stay with their own, and one event however often
the database goes away."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from proxy import Proxy
from psycopg import AsyncConnection
from ulid import ULID

from application import desk as desks
from application import lane, measures, tracing
from application.activity.cancel_activity import CancelActivity, cancel_activity
from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.create_activity import CreateActivity, create_activity
from application.activity.resume_activity import ResumeActivity, resume_activity
from application.activity.start_activity import StartActivity, start_activity
from application.activity.update_activity import UpdateActivity, update_activity
from application.activity.wait_activity import WaitActivity, wait_activity
from application.command import (
    AUDIT_RECEIPT,
    Actor,
    Answer,
    Command,
    Context,
    Decision,
    Handler,
    Order,
    Policy,
    Receipt,
    RetryKey,
)
from application.desk import Desk
from application.event_store.evidence import exhibits
from application.event_store.keyring import RING
from application.event_store.mapper import activity_key, record_key
from application.lane import TRIES
from application.postgres.connections import Role, conninfo
from application.proof.leaf import Leaves
from application.proof.receipts import Promise
from application.refusals import KeyUsedOtherwise, StaleVersion, Unavailable
from application.spans import Spans
from application.streams import Streams
from domain.activity.drafts import ActivityChanges, Completion, NewActivity
from domain.refusals import NotAllowed

ME = Actor(user_id="u-1")
ACME = "acme"
LENIENT = Policy(strict_references=False)
HANDLERS: dict[type[Command], Handler] = {
    CreateActivity: create_activity,
    StartActivity: start_activity,
    WaitActivity: wait_activity,
    ResumeActivity: resume_activity,
    CompleteActivity: complete_activity,
    CancelActivity: cancel_activity,
    UpdateActivity: update_activity,
}


def told(receipt: Receipt) -> Answer:
    """The status and version the activity has for whoever asked."""
    activity = receipt.streams.activity_at(receipt.subject)
    assert activity is not None
    return Answer(200, f"{activity.status} {activity.version}".encode())


def order(kind: type[Command], *, organization: str = ACME, actor: Actor = ME, **said: Any) -> Order:
    command = kind(organization_id=organization, actor=actor, **said)
    return Order(command, HANDLERS[kind], told)


def a_call(**said: Any) -> NewActivity:
    about = {"activityable_type": "lead", "activityable_id": "l-1"}
    return NewActivity.model_validate({"type": "call", "subject": "Call", **about, **said})


def create(activity_id: str, participants: Sequence[Any] = (), **who: Any) -> Order:
    said = {"participants": participants} if participants else {}
    return order(CreateActivity, new=a_call(**said), activity_id=activity_id, **who)


def complete(activity_id: str) -> Order:
    return order(CompleteActivity, activity_id=activity_id, completion=Completion(outcome="done"))


def rename(activity_id: str, subject: str, **who: Any) -> Order:
    return order(UpdateActivity, activity_id=activity_id, changes=ActivityChanges(subject=subject), **who)


def finished(activity_id: str) -> Order:
    """Created and cancelled at once: two facts of one command."""
    return order(CreateActivity, new=a_call(), activity_id=activity_id, cancelled=True)


def an_id() -> str:
    return str(ULID())


@asynccontextmanager
async def a_desk(dsn: str, **settings: Any) -> AsyncIterator[Desk]:
    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(conninfo(dsn, Role.WRITER), autocommit=True)

    desk = Desk(settings.pop("connect", connect), policy=LENIENT, **settings)
    await desk.start()
    try:
        yield desk
    finally:
        await desk.stop()


async def served(desk: Desk, *orders: Order) -> list[Any]:
    """What became of orders that come at once: what was told, or the exception."""
    outcomes = await asyncio.gather(*(desk.serve(one) for one in orders), return_exceptions=True)
    return [outcome.body.decode() if isinstance(outcome, Answer) else outcome for outcome in outcomes]


def told_all(dsn: str, *orders: Order) -> list[Any]:
    """What became of orders that come at once to a desk which knows nothing yet: the answers, or the exceptions."""

    async def scenario() -> list[Any]:
        async with a_desk(dsn) as desk:
            return await asyncio.gather(*(desk.serve(one) for one in orders), return_exceptions=True)

    return asyncio.run(scenario())


def recorded(dsn: str, what: str = "topic", organization: str = ACME) -> list[Any]:
    """A column of the organisation's log, in order."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = connection.execute(
            f"select {what} from activities.events where organization_id = %s order by position",
            (organization,),
        )
        return [row[0] for row in rows]


def happened(dsn: str) -> list[str]:
    return [topic.split(".")[1] for topic in recorded(dsn)]


class TestABatch:
    def test_decides_in_order_each_upon_what_those_before_it_led_to(self, database: str) -> None:
        async def scenario() -> list[Any]:
            one = an_id()
            async with a_desk(database) as desk:
                return await served(
                    desk,
                    create(one),
                    order(StartActivity, activity_id=one),
                    order(WaitActivity, activity_id=one),
                    order(ResumeActivity, activity_id=one),
                    complete(one),
                )

        assert asyncio.run(scenario()) == [
            "pending 1",
            "in_progress 2",
            "waiting 3",
            "in_progress 4",
            "completed 5",
        ]
        assert happened(database) == ["created", "started", "waited", "resumed", "completed"]
        assert len(set(recorded(database, "xmin::text"))) == 1

    def test_is_one_transaction_for_up_to_64_and_keeps_the_order_of_more(self, database: str) -> None:
        async def scenario() -> list[Any]:
            one = an_id()
            async with a_desk(database) as desk:
                return await served(desk, create(one), *(rename(one, f"No {n}") for n in range(200)))

        assert asyncio.run(scenario()) == [f"pending {version}" for version in range(1, 202)]
        assert recorded(database, "position") == list(range(1, 202))
        assert recorded(database, "originator_version") == list(range(1, 202))
        assert len(set(recorded(database, "xmin::text"))) == 4

    def test_a_refusal_touches_its_own_command_only(self, database: str) -> None:
        async def scenario() -> list[Any]:
            one, two = an_id(), an_id()
            async with a_desk(database) as desk:
                return await served(
                    desk,
                    create(one),
                    order(ResumeActivity, activity_id=one),
                    create(two),
                    order(StartActivity, activity_id=one),
                )

        first, refused, second, third = asyncio.run(scenario())
        assert (first, second, third) == ("pending 1", "pending 1", "in_progress 2")
        assert isinstance(refused, NotAllowed)
        assert happened(database) == ["created", "created", "started"]

    def test_a_handler_that_crashes_touches_its_own_command_only(self, database: str) -> None:
        def crashing(command: Command, streams: Streams, context: Context) -> Decision:
            raise ZeroDivisionError

        def speechless(receipt: Receipt) -> Answer:
            raise KeyError("no words")

        async def scenario() -> list[Any]:
            one, two, three = an_id(), an_id(), an_id()
            async with a_desk(database) as desk:
                return await served(
                    desk,
                    create(one),
                    Order(create(two).command, crashing, told),
                    Order(create(three).command, create_activity, speechless),
                    order(StartActivity, activity_id=one),
                )

        first, crashed, unsaid, last = asyncio.run(scenario())
        assert (first, last) == ("pending 1", "in_progress 2")
        assert isinstance(crashed, ZeroDivisionError)
        assert isinstance(unsaid, KeyError)
        assert happened(database) == ["created", "started"]

    def test_what_the_database_cannot_hold_touches_its_own_command_only(self, database: str) -> None:
        async def scenario() -> list[Any]:
            async with a_desk(database) as desk:
                outcomes = await served(
                    desk,
                    create(an_id()),
                    create(an_id(), actor=Actor(user_id="u\x00")),
                    create(an_id()),
                )
                return [*outcomes, *await served(desk, create(an_id()))]

        first, unheld, second, afterwards = asyncio.run(scenario())
        assert (first, second, afterwards) == ("pending 1",) * 3
        assert isinstance(unheld, psycopg.DataError)
        assert happened(database) == ["created"] * 3

    def test_organisations_are_apart(self, database: str) -> None:
        async def scenario() -> list[Any]:
            one = an_id()
            async with a_desk(database) as desk:
                return await served(
                    desk,
                    create(one, organization="one"),
                    create(one, organization="two"),
                    order(StartActivity, activity_id=one, organization="two"),
                )

        assert asyncio.run(scenario()) == ["pending 1", "pending 1", "in_progress 2"]
        assert recorded(database, "position", "one") == [1]
        assert recorded(database, "position", "two") == [1, 2]

    def test_time_never_runs_backwards_whatever_the_clock_says(self, database: str) -> None:
        noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        ticks = count()

        async def scenario() -> None:
            async with a_desk(database, clock=lambda: noon - timedelta(hours=next(ticks))) as desk:
                for _ in range(3):
                    assert await served(desk, create(an_id())) == ["pending 1"]

        asyncio.run(scenario())
        assert recorded(database, "recorded_at") == [noon] * 3

    def test_who_did_it_with_what_and_under_which_number_is_recorded_with_each_fact(self, database: str) -> None:
        one = an_id()
        orders = [
            create(one, command_id="c-1", request_id="r-1", actor=Actor(user_id="u-1", client="a browser")),
            order(StartActivity, activity_id=one, command_id="c-2"),
        ]
        told_all(database, *orders)
        assert recorded(database, "metadata") == [
            {"actor": "u-1", "command_id": "c-1", "client": "a browser", "correlation_id": "r-1"},
            {"actor": "u-1", "command_id": "c-2"},
        ]

    def test_each_answer_is_a_promise_of_the_facts_that_were_recorded_and_none_where_none_was(
        self, database: str
    ) -> None:
        one = an_id()
        first, several, nothing, last = told_all(
            database, create(one), finished(an_id()), rename(one, "Call"), rename(one, "Another")
        )
        with psycopg.connect(database, options="-c search_path=activities") as connection:
            leaves = [exhibit.leaf(Leaves(ACME)) for exhibit in exhibits(connection, ACME, 0, 4)]
        promises = [Promise.read(answer.headers[AUDIT_RECEIPT]) for answer in (first, several, last)]
        assert [(promise.first, promise.last) for promise in promises] == [(1, 1), (2, 3), (4, 4)]
        assert all(promise.kept(leaves[promise.first - 1 : promise.last]) for promise in promises)
        assert AUDIT_RECEIPT not in nothing.headers

    def test_an_answer_tells_up_to_which_position_the_log_has_it_and_the_number_that_came_of_it(
        self, database: str
    ) -> None:
        def place(receipt: Receipt) -> Answer:
            activity = receipt.streams.activity_at(receipt.subject)
            assert activity is not None
            return Answer(200, f"{receipt.position} {activity.number}".encode())

        one = an_id()
        orders = [create(one), finished(an_id()), rename(one, "Call"), rename(one, "Another")]
        answers = told_all(database, *(Order(each.command, each.handler, place) for each in orders))
        assert [answer.body for answer in answers] == [b"1 1", b"3 2", b"3 1", b"4 1"]

    def test_a_command_upon_another_version_is_refused(self, database: str) -> None:
        one = an_id()
        orders = [
            create(one),
            order(StartActivity, activity_id=one, expected_version=2),
            order(StartActivity, activity_id=one, expected_version=1),
            order(WaitActivity, activity_id=one, expected_version=1),
        ]
        made, early, started, late = told_all(database, *orders)
        assert (made.body, started.body) == (b"pending 1", b"in_progress 2")
        assert isinstance(early, StaleVersion) and isinstance(late, StaleVersion)
        assert (early.subject, early.expected, early.actual) == (activity_key(one), 2, 1)
        assert (late.subject, late.expected, late.actual) == (activity_key(one), 1, 2)

    def test_it_is_measured_and_its_commands_are_counted_by_what_became_of_them(self, database: str) -> None:
        def measured() -> list[float]:
            labels = {"command": "CreateActivity", "outcome": "ok"}
            return [
                REGISTRY.get_sample_value("activities_commands_total", labels) or 0,
                REGISTRY.get_sample_value("activities_batch_size_sum") or 0,
                REGISTRY.get_sample_value("activities_batch_seconds_sum") or 0,
            ]

        before, began = measured(), time.perf_counter()
        told_all(database, create(an_id()), create(an_id()))
        made, served, seconds = (now - then for now, then in zip(measured(), before, strict=True))
        assert (made, served) == (2, 2)
        assert 0 < seconds < time.perf_counter() - began

    def test_it_and_its_commands_are_spans_where_traces_are_wanted(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept, provider, began = InMemorySpanExporter(), TracerProvider(), time.perf_counter_ns()
        provider.add_span_processor(SimpleSpanProcessor(kept))
        monkeypatch.setattr(tracing, "spans", Spans(provider))
        one = an_id()
        told_all(database, create(one, command_id="c-1"), order(StartActivity, activity_id=one, command_id="c-2"))

        spans = {span.name: span for span in kept.get_finished_spans()}
        told_of = {name: dict(span.attributes or {}) for name, span in spans.items()}
        about = {"activities.organization": ACME, "activities.outcome": "ok"}
        assert told_of == {
            "command CreateActivity": {"activities.command_id": "c-1", **about},
            "command StartActivity": {"activities.command_id": "c-2", **about},
            "append": {
                "activities.organization": ACME,
                "activities.command_ids": ("c-1", "c-2"),
                "activities.batch_size": 2,
            },
        }
        batch = spans["append"]
        assert batch.start_time is not None and batch.end_time is not None
        assert 0 < batch.end_time - batch.start_time < time.perf_counter_ns() - began

    def test_is_joined_by_those_who_come_one_right_after_the_other(self, database: str) -> None:
        async def scenario() -> None:
            async with a_desk(database) as desk:
                asked = []
                for _ in range(30):
                    asked.append(asyncio.ensure_future(desk.serve(create(an_id()))))
                    await asyncio.sleep(0)
                await asyncio.gather(*asked)

        asyncio.run(scenario())
        assert len(set(recorded(database, "xmin::text"))) == 1

    def test_who_is_named_among_the_participants_is_sealed_for_under_one_key_whichever_process_asks(
        self, database: str
    ) -> None:
        """Whose keys a batch will need is not known beforehand: the missing ones are looked up, all is decided anew."""
        people = [{"kind": "contact", "id": "kim", "name": "Kim"}, {"kind": "external", "email": "pat@x.example"}]
        told = [told_all(database, create(an_id(), participants=people), create(an_id())) for _ in range(2)]
        assert [[answer.body for answer in answers] for answers in told] == [[b"pending 1"] * 2] * 2
        sealed = [json.loads(state)["sealed"] for state in recorded(database, "state")]
        assert [len(boxes) for boxes in sealed] == [3, 1, 3, 1]
        assert len({box["key"] for boxes in sealed for box in boxes}) == 3, "the lead's, Kim's and the outsider's"
        with psycopg.connect(database) as connection:
            subjects = {who for (who,) in connection.execute("select subject from activities.data_keys")}
        assert subjects == {
            record_key("lead", "l-1"),
            record_key("contact", "kim"),
            RING.outsider(ACME, "pat@x.example"),
        }

    def test_who_goes_away_meanwhile_disturbs_nobody_and_what_was_asked_stands(self, database: str) -> None:
        async def scenario() -> Answer:
            async with a_desk(database) as desk:
                gone, stays = (asyncio.ensure_future(desk.serve(create(an_id()))) for _ in range(2))
                await asyncio.sleep(0)
                gone.cancel()
                return await stays

        assert asyncio.run(scenario()).body == b"pending 1"
        assert happened(database) == ["created"] * 2


class TestARetry:
    """Somebody asks again under the same key: in the same batch, later, or of another process."""

    KEY = RetryKey(key="k-1", fingerprint=b"this request")

    def test_is_answered_as_it_was_the_first_time_and_records_nothing(self, database: str) -> None:
        one = an_id()
        once = create(one, retry_key=self.KEY)
        first, again = told_all(database, once, create(an_id(), retry_key=self.KEY))
        [later] = told_all(database, create(an_id(), retry_key=self.KEY))
        assert not first.replayed
        assert first.body == b"pending 1"
        for repeated in (again, later):
            assert repeated.replayed
            assert (repeated.status, repeated.body, repeated.headers) == (first.status, first.body, first.headers)
        assert happened(database) == ["created"]

    def test_of_what_changed_nothing_is_known_again_too(self, database: str) -> None:
        one = an_id()
        told_all(database, create(one), rename(one, "Call", retry_key=self.KEY), rename(one, "Another"))
        [again] = told_all(database, rename(one, "Call", retry_key=self.KEY))
        assert again.replayed
        assert again.body == b"pending 1"

    def test_of_what_was_refused_is_a_new_attempt(self, database: str) -> None:
        one = an_id()
        refused, _, resumed = told_all(
            database,
            order(ResumeActivity, activity_id=one, retry_key=self.KEY),
            create(one),
            order(StartActivity, activity_id=one, retry_key=self.KEY),
        )
        assert isinstance(refused, Exception)
        assert resumed.body == b"in_progress 2"

    def test_with_another_request_under_the_key_is_refused_and_another_users_key_is_another(
        self, database: str
    ) -> None:
        told_all(database, create(an_id(), retry_key=self.KEY))
        other = RetryKey(key="k-1", fingerprint=b"another request")
        otherwise, somebody, elsewhere = told_all(
            database,
            create(an_id(), retry_key=other),
            create(an_id(), retry_key=other, actor=Actor(user_id="u-2")),
            create(an_id(), retry_key=RetryKey(key="k-2", fingerprint=b"another request")),
        )
        assert isinstance(otherwise, KeyUsedOtherwise)
        assert (somebody.body, elsewhere.body) == (b"pending 1", b"pending 1")
        assert happened(database) == ["created"] * 3


class TestTwoDesks:
    """Two processes' worth: neither knows what the other remembers."""

    def test_racing_for_an_activity_one_wins_and_the_other_is_refused(self, database: str) -> None:
        async def scenario() -> list[str]:
            won = []
            async with a_desk(database) as one, a_desk(database) as other:
                for n in range(30):
                    activity = an_id()
                    await served((one, other)[n % 2], create(activity))
                    outcomes = await asyncio.gather(
                        served(one, complete(activity)),
                        served(other, order(CancelActivity, activity_id=activity)),
                    )
                    told_them = [outcome for [outcome] in outcomes]
                    [winner] = [outcome for outcome in told_them if isinstance(outcome, str)]
                    [loser] = [outcome for outcome in told_them if not isinstance(outcome, str)]
                    assert isinstance(loser, NotAllowed)
                    assert loser.status == winner.split()[0]
                    won.append(winner)
            return won

        won = asyncio.run(scenario())
        assert set(won) <= {"completed 2", "cancelled 2"}
        assert len(recorded(database)) == 60

    def test_taking_turns_each_sees_what_the_other_did(self, database: str) -> None:
        async def scenario() -> list[Any]:
            activity = an_id()
            async with a_desk(database) as one, a_desk(database) as other:
                outcomes = await served(one, create(activity), order(StartActivity, activity_id=activity))
                for _ in range(20):
                    outcomes += await served(other, order(WaitActivity, activity_id=activity))
                    outcomes += await served(one, order(ResumeActivity, activity_id=activity))
            return outcomes

        expected = [f"{'waiting' if version % 2 else 'in_progress'} {version}" for version in range(3, 43)]
        assert asyncio.run(scenario()) == ["pending 1", "in_progress 2", *expected]
        assert recorded(database, "position") == list(range(1, 43))

    def test_writing_at_once_all_is_recorded_once_in_one_dense_order(self, database: str) -> None:
        async def scenario() -> list[Any]:
            async with a_desk(database) as one, a_desk(database) as other:
                outcomes = await asyncio.gather(
                    *(served((one, other)[n % 2], create(an_id())) for n in range(200)),
                )
            return [outcome for [outcome] in outcomes]

        assert asyncio.run(scenario()) == ["pending 1"] * 200
        assert recorded(database, "position") == list(range(1, 201))


Scenario = Callable[[Proxy, Desk], Awaitable[None]]


def behind_a_proxy(dsn: str, scenario: Scenario, **settings: Any) -> None:
    async def run() -> None:
        async with Proxy(dsn) as proxy, a_desk(proxy.dsn, **settings) as desk:
            await scenario(proxy, desk)

    asyncio.run(run())


class TestWhenTheDatabaseGoesAway:
    def test_a_commit_whose_acknowledgement_is_lost_is_no_refusal_and_happens_once(self, database: str) -> None:
        """The activity is in progress when the batch is tried again: deciding anew would refuse it falsely."""

        async def scenario(proxy: Proxy, desk: Desk) -> None:
            for _ in range(100):
                one, two = an_id(), an_id()
                assert await served(desk, create(one)) == ["pending 1"]
                proxy.lose_acknowledgement = True
                started, created, refused = await served(
                    desk,
                    order(StartActivity, activity_id=one),
                    create(two),
                    order(ResumeActivity, activity_id=one),
                )
                assert (started, created) == ("in_progress 2", "pending 1")
                assert isinstance(refused, NotAllowed)
                assert await served(desk, order(WaitActivity, activity_id=one)) == ["waiting 3"]
            assert proxy.cuts == 100

        behind_a_proxy(database, scenario)
        assert happened(database) == ["created", "started", "created", "waited"] * 100

    def test_a_commit_that_never_arrived_is_made_up_for_and_happens_once(self, database: str) -> None:
        async def scenario(proxy: Proxy, desk: Desk) -> None:
            one = an_id()
            await served(desk, create(one))
            for _ in range(10):
                proxy.lose_commit = True
                assert isinstance((await served(desk, order(WaitActivity, activity_id=one)))[0], str)
                proxy.lose_commit = True
                assert isinstance((await served(desk, order(ResumeActivity, activity_id=one)))[0], str)
            assert proxy.cuts == 20

        behind_a_proxy(database, scenario)
        assert happened(database) == ["created", *["waited", "resumed"] * 10]

    @pytest.mark.parametrize("lost", ["lose_commit", "lose_acknowledgement"])
    def test_what_another_process_records_meanwhile_is_not_taken_for_ones_own(self, database: str, lost: str) -> None:
        async def scenario(proxy: Proxy, desk: Desk) -> None:
            async with a_desk(database) as other:
                for _ in range(10):
                    setattr(proxy, lost, True)
                    outcomes = await asyncio.gather(
                        served(desk, create(an_id())),
                        *(served(other, create(an_id())) for _ in range(5)),
                    )
                    assert outcomes == [["pending 1"]] * 6
            assert proxy.cuts == 10

        behind_a_proxy(database, scenario)
        assert recorded(database, "position") == list(range(1, 61))
        assert len(set(recorded(database, "originator_id"))) == 60

    def test_a_connection_that_died_is_replaced(self, database: str) -> None:
        async def scenario() -> list[Any]:
            async with a_desk(database) as desk:
                outcomes = await served(desk, create(an_id()))
                with psycopg.connect(database, autocommit=True) as administrator:
                    administrator.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'activities_writer' and datname = current_database()"
                    )
                return outcomes + await served(desk, create(an_id()))

        assert asyncio.run(scenario()) == ["pending 1", "pending 1"]

    def test_a_database_in_which_the_last_of_it_never_happened_is_believed(self, database: str) -> None:
        """A standby promoted, a backup restored: what this process remembers of the lost end counts no more."""

        async def scenario() -> list[Any]:
            one = an_id()
            async with a_desk(database) as desk:
                outcomes = await served(desk, create(one), order(StartActivity, activity_id=one))
                with psycopg.connect(database, autocommit=True) as administrator:
                    administrator.execute("delete from activities.events where position = 2")
                    administrator.execute("update activities.heads set position = 1")
                    administrator.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'activities_writer' and datname = current_database()"
                    )
                return outcomes + await served(desk, order(WaitActivity, activity_id=one))

        assert asyncio.run(scenario()) == ["pending 1", "in_progress 2", "waiting 2"]
        assert recorded(database, "originator_version") == [1, 2]

    def test_a_database_that_stays_away_is_told_of_in_bounded_time_and_may_come_back(self, database: str) -> None:
        async def scenario(proxy: Proxy, desk: Desk) -> None:
            proxy.away = True
            began = time.monotonic()
            outcomes = await served(desk, *(create(an_id()) for _ in range(5)))
            assert time.monotonic() - began < 10
            assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
            assert {str(outcome) for outcome in outcomes} == {"The database did not answer: OperationalError"}
            proxy.away = False
            assert await served(desk, create(an_id())) == ["pending 1"]

        behind_a_proxy(database, scenario)
        assert happened(database) == ["created"]

    def test_a_log_that_stays_locked_is_told_of_in_bounded_time(self, database: str) -> None:
        """Each try waits for the lock as long as the writer's lock timeout allows; here that is made short."""

        async def connect() -> AsyncConnection[Any]:
            connection = await AsyncConnection.connect(conninfo(database, Role.WRITER), autocommit=True)
            await connection.execute("set lock_timeout = '200ms'")
            return connection

        async def scenario() -> list[Any]:
            async with a_desk(database, connect=connect) as desk:
                await served(desk, create(an_id()))
                with psycopg.connect(database) as other:
                    other.execute("select from activities.heads where organization_id = %s for update", (ACME,))
                    began = time.monotonic()
                    outcomes = await served(desk, create(an_id()))
                    assert time.monotonic() - began < 4 + TRIES * 0.5
                return outcomes + await served(desk, create(an_id()))

        unavailable, afterwards = asyncio.run(scenario())
        assert isinstance(unavailable, Unavailable)
        assert afterwards == "pending 1"

    def test_a_lane_survives_a_defect_that_no_future_can_hold(self, database: str) -> None:
        """A StopIteration cannot be set on a future: telling the caller fails, and the lane must go on."""

        def exhausted(command: Command, streams: Streams, context: Context) -> Decision:
            raise StopIteration

        async def scenario() -> list[Any]:
            async with a_desk(database, lanes=1) as desk:
                failed = [
                    await asyncio.wait_for(served(desk, Order(create(an_id()).command, exhausted, told)), 5)
                    for _ in range(3)
                ]
                return [*failed, await asyncio.wait_for(served(desk, create(an_id())), 5)]

        *failed, last = asyncio.run(scenario())
        assert [repr(outcome) for [outcome] in failed] == ["RuntimeError('a handler raised StopIteration')"] * 3
        assert last == ["pending 1"]

    def test_a_lane_survives_a_defect_of_its_own_and_the_log_tells_of_it(
        self, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def defective(*_: Any) -> None:
            raise ZeroDivisionError

        async def scenario() -> list[Any]:
            async with a_desk(database, lanes=1) as desk:
                with monkeypatch.context() as changed:
                    changed.setattr(measures, "count", defective)
                    failed = await asyncio.wait_for(served(desk, create(an_id())), 5)
                return [*failed, *await asyncio.wait_for(served(desk, create(an_id())), 5)]

        failed, last = asyncio.run(scenario())
        assert isinstance(failed, Unavailable)
        assert last == "pending 1"
        [told_of] = [record for record in caplog.records if record.name == "application.desk"]
        assert (told_of.levelname, told_of.message) == ("ERROR", "a batch ended unexpectedly")
        assert vars(told_of)["organization"] == ACME
        assert told_of.exc_info is not None and told_of.exc_info[0] is ZeroDivisionError

    def test_a_lane_survives_whatever_happens_to_a_batch(self, database: str) -> None:
        failures: Iterator[Exception] = iter([ValueError("strange"), OSError("stranger"), RuntimeError("strangest")])

        async def connect() -> AsyncConnection[Any]:
            for failure in failures:
                raise failure
            return await AsyncConnection.connect(conninfo(database, Role.WRITER), autocommit=True)

        async def scenario() -> list[Any]:
            async with a_desk(database, connect=connect, lanes=1) as desk:
                return [(await served(desk, create(an_id())))[0] for _ in range(4)]

        *failed, last = asyncio.run(scenario())
        assert [type(failure) for failure in failed] == [ValueError, OSError, RuntimeError]
        assert last == "pending 1"

    def test_who_still_waits_when_the_desk_stops_is_told(self, database: str) -> None:
        async def scenario(proxy: Proxy, desk: Desk) -> None:
            proxy.away = True
            waiting = [asyncio.ensure_future(desk.serve(create(an_id()))) for _ in range(100)]
            await asyncio.wait_for(proxy.turned_away.wait(), 5)
            assert desk.waiting() == 36
            await desk.stop()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
            assert {str(outcome) for outcome in outcomes} == {"The service is stopping"}

        behind_a_proxy(database, scenario)
        assert recorded(database) == []

    def test_what_the_database_cannot_hold_costs_a_connection_that_is_closed(self, database: str) -> None:
        async def scenario() -> None:
            async with a_desk(database, lanes=1) as desk:
                for _ in range(3):
                    await served(desk, create(an_id(), actor=Actor(user_id="u\x00")))
                assert await served(desk, create(an_id())) == ["pending 1"]
                await until(lambda: connections(database) == 1)

        asyncio.run(scenario())

    def test_a_desk_that_has_stopped_leaves_nothing_running(self, database: str) -> None:
        async def scenario() -> None:
            async with a_desk(database) as desk:
                await served(desk, create(an_id()))
                assert connections(database) == 1
                await desk.stop()
                assert asyncio.all_tasks() == {asyncio.current_task()}
                await until(lambda: connections(database) == 0)

        asyncio.run(scenario())

    def test_a_full_disk_is_told_of_at_once_and_until_something_is_recorded_again(self, database: str) -> None:
        disk = FullDisk(database)

        async def scenario() -> None:
            async with a_desk(database, connect=disk.connect) as desk:
                assert desk.trouble() is None
                [refused] = await served(desk, create(an_id()))
                assert repr(refused) == 'Unavailable("The database\'s disk is full")'
                assert disk.asked == 1, "it is not tried again"
                assert desk.trouble() == "the database's disk is full"
                disk.full = False
                assert await served(desk, create(an_id())) == ["pending 1"]
                assert desk.trouble() is None

        asyncio.run(scenario())

    def test_of_a_full_disk_nothing_is_told_once_nobody_has_tried_for_long(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lane, "TROUBLED", 0.2)

        async def scenario() -> None:
            async with a_desk(database, connect=FullDisk(database).connect) as desk:
                await served(desk, create(an_id()))
                await until(lambda: desk.trouble() is None)

        asyncio.run(scenario())

    def test_who_has_waited_for_too_long_is_told_and_nothing_becomes_of_it(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desks, "LONGEST_QUEUED", 2.0)

        async def scenario() -> list[Any]:
            async with a_desk(database) as desk:
                await served(desk, create(an_id()))
                with psycopg.connect(database) as other:
                    other.execute("select from activities.heads where organization_id = %s for update", (ACME,))
                    taken = asyncio.ensure_future(desk.serve(create(an_id())))
                    await asyncio.sleep(0)
                    await until(lambda: desk.waiting() == 0)
                    late = asyncio.ensure_future(desk.serve(create(an_id())))
                    await asyncio.sleep(2.2)
                    in_time = asyncio.ensure_future(desk.serve(create(an_id())))
                    await asyncio.sleep(0)
                    other.rollback()
                return list(await asyncio.gather(taken, in_time, late, return_exceptions=True))

        taken, in_time, late = asyncio.run(scenario())
        assert (taken.body, in_time.body) == (b"pending 1", b"pending 1")
        assert repr(late) == "Unavailable('The database is too slow to take commands now')"
        assert happened(database) == ["created"] * 3

    def test_of_an_organisation_without_batches_nothing_is_remembered_for_long(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then what the log says counts again, whatever was remembered of it."""
        monkeypatch.setattr(desks, "FORGOTTEN", 0.3)

        async def scenario() -> list[Any]:
            one = an_id()
            async with a_desk(database, lanes=1) as desk:
                await served(desk, create(one), order(StartActivity, activity_id=one))
                with psycopg.connect(database, autocommit=True) as administrator:
                    administrator.execute("delete from activities.events where position = 2")
                    administrator.execute("update activities.heads set position = 1")
                await asyncio.sleep(0.7)
                return await served(desk, order(WaitActivity, activity_id=one))

        assert asyncio.run(scenario()) == ["waiting 2"]


def connections(dsn: str) -> int:
    """How many desks' lanes have with the database."""
    with psycopg.connect(dsn) as administrator:
        [(count,)] = administrator.execute(
            "select count(*) from pg_stat_activity"
            " where application_name = 'activities_writer' and datname = current_database()"
        )
        return int(count)


class FullDisk:
    """A database that cannot be written to, as long as its disk is full."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.full = True
        self.asked = 0

    async def connect(self) -> AsyncConnection[Any]:
        if self.full:
            self.asked += 1
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")
        return await AsyncConnection.connect(conninfo(self._dsn, Role.WRITER), autocommit=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.01)
