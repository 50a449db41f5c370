"""The daily facts are what one would count by hand, whatever was commanded, by either day and in any time zone."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from ulid import ULID

from application.activity.cancel_activity import CancelActivity, cancel_activity
from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.create_activity import CreateActivity, create_activity
from application.activity.defer_activity import DeferActivity, defer_activity
from application.activity.delete_activity import DeleteActivity, delete_activity
from application.activity.reschedule_activity import RescheduleActivity, reschedule_activity
from application.activity.restore_activity import RestoreActivity, restore_activity
from application.activity.resume_activity import ResumeActivity, resume_activity
from application.activity.start_activity import StartActivity, start_activity
from application.activity.update_activity import UpdateActivity, update_activity
from application.activity.wait_activity import WaitActivity, wait_activity
from application.command import Actor, Answer, Command, Handler, Order, Policy
from application.desk import Desk
from application.postgres.connections import Role, conninfo, writer_of
from domain.activity.drafts import ActivityChanges, Completion, NewActivity
from domain.refusals import Refusal
from projections.catching_up import CatchingUp
from projections.folding import Folder
from projections.read_models import READ_MODELS
from projections.verify import verify

DAYS = 12
RATE = Decimal("60.00")
ZONES = ("UTC", "Pacific/Auckland", "America/St_Johns")
CAN_BE_LATE = ("pending", "in_progress", "waiting")
TYPES, USERS, CURRENCIES = ("call", "visit"), ("u-1", "u-2"), ("USD", "EUR")
AXES = ("known", "happened")
MEASURES = (
    *("created", "completed", "cancelled", "slipped", "deleted", "restored"),
    *("overdue_at_end", "planned_minutes", "actual_minutes"),
)
MOVES = {
    "start": ("in_progress", StartActivity, start_activity),
    "defer": ("deferred", DeferActivity, defer_activity),
    "wait": ("waiting", WaitActivity, wait_activity),
    "resume": (None, ResumeActivity, resume_activity),
}


@dataclass(frozen=True)
class Looks:
    """What an activity is, from an instant on."""

    since: datetime
    status: str
    type: str
    user: str
    due: datetime | None
    deleted: bool = False

    def is_late(self, at: datetime) -> bool:
        return not self.deleted and self.status in CAN_BE_LATE and self.due is not None and self.due < at


@dataclass
class Life:
    """What a person with a notebook would write down of one activity."""

    id: str
    planned: int | None
    currency: str | None
    looks: list[Looks]
    started: bool = False
    completed_at: datetime | None = None

    @property
    def now(self) -> Looks:
        return self.looks[-1]

    def becomes(self, at: datetime, **changes: Any) -> None:
        self.looks.append(Looks(**{**self.now.__dict__, "since": at, **changes}))


@dataclass
class Notebook:
    """Counts by hand: what was noted, when it was known and when it happened."""

    lives: list[Life] = field(default_factory=list)
    notes: list[tuple[str, datetime, datetime, Looks, dict[str, int]]] = field(default_factory=list)
    bills: list[tuple[datetime, datetime, Looks, str, int]] = field(default_factory=list)

    def note(self, what: str, at: datetime, looks: Looks, happened: datetime | None = None, **minutes: int) -> None:
        self.notes.append((what, at, happened or at, looks, minutes))

    def facts(self, axis: str, zone: ZoneInfo, now: datetime) -> dict[tuple[Any, ...], Counter[str]]:
        counted: dict[tuple[Any, ...], Counter[str]] = {}
        for what, known, happened, looks, minutes in self.notes:
            day = (known if axis == "known" else happened).astimezone(zone).date()
            counted.setdefault((day, looks.type, looks.user), Counter()).update({what: 1, **minutes})
        for day, end in self._days(zone, now):
            for life in self.lives:
                looks = next((one for one in reversed(life.looks) if one.since < end), None)
                done = axis == "happened" and life.completed_at is not None and life.completed_at < end
                if looks is not None and not done and looks.is_late(end):
                    counted.setdefault((day, looks.type, looks.user), Counter())["overdue_at_end"] += 1
        return counted

    def _days(self, zone: ZoneInfo, now: datetime) -> Iterator[tuple[date, datetime]]:
        if self.lives:
            day = min(life.looks[0].since for life in self.lives).astimezone(zone).date()
            while day < now.astimezone(zone).date():
                yield day, datetime.combine(day + timedelta(days=1), time(), zone)
                day += timedelta(days=1)
            yield day, now

    def billing(self, axis: str, zone: ZoneInfo) -> dict[tuple[Any, ...], tuple[int, int, Decimal]]:
        counted: dict[tuple[Any, ...], tuple[int, int, Decimal]] = {}
        for known, happened, looks, currency, minutes in self.bills:
            day = (known if axis == "known" else happened).astimezone(zone).date()
            key = (day, currency, looks.type, looks.user)
            count, before, amount = counted.get(key, (0, 0, Decimal()))
            counted[key] = (count + 1, before + minutes, amount + RATE * minutes / 60)
        return counted


class History:
    """Commands through the real desk on a clock of the test's own, and the notebook beside it."""

    def __init__(self, dsn: str, desk_start: datetime) -> None:
        self.organization = f"org-{uuid4().hex}"
        self.clock = desk_start
        self.book = Notebook()
        self._desk = Desk(writer_of(dsn), policy=Policy(strict_references=False), lanes=1, clock=lambda: self.clock)

    async def live(self, happenings: list[dict[str, Any]]) -> None:
        async with self._desk.opened():
            for said in happenings:
                self.clock += timedelta(hours=said["gap"])
                await self._happens(said)

    async def _taken(self, command: type[Command], handler: Handler, **said: Any) -> bool:
        """Whether the command was not refused."""
        order = Order(
            command(organization_id=self.organization, actor=Actor(user_id="u-1"), **said),
            handler,
            lambda receipt: Answer(200, b""),
        )
        try:
            await self._desk.serve(order)
        except Refusal:
            return False
        return True

    async def _happens(self, said: dict[str, Any]) -> None:
        action = said["action"]
        if action == "create" or not self.book.lives:
            await self._create(said)
            return
        life = self.book.lives[said["which"] % len(self.book.lives)]
        if action in MOVES:
            await self._move(life, action)
        else:
            await getattr(self, f"_{action}")(life, said)

    async def _create(self, said: dict[str, Any]) -> None:
        at, status, minutes, id_ = self.clock, said["status"], said["planned"], str(ULID())
        due = None if said["due"] is None else at + timedelta(hours=said["due"])
        done = at - timedelta(hours=said["back"]) if status == "completed" else None
        new: dict[str, Any] = {
            "type": said["type"],
            "subject": "x",
            "activityable_type": "lead",
            "activityable_id": "l-1",
            "assigned_user_id": said["user"],
            "due_at": due,
            "duration_minutes": minutes,
            "status": "pending" if status == "cancelled" else status,
        }
        if said["currency"]:
            new |= {"is_billable": True, "billable_rate": RATE, "currency": said["currency"]}
        if done is not None:
            new["completed_at"] = done
        command = {"new": NewActivity.model_validate(new), "activity_id": id_, "cancelled": status == "cancelled"}
        assert await self._taken(CreateActivity, create_activity, **command)
        first = Looks(at, status, said["type"], said["user"], due)
        life = Life(id_, minutes, said["currency"], [first], status == "in_progress")
        self.book.lives.append(life)
        self.book.note("created", at, first)
        if status == "cancelled":
            self.book.note("cancelled", at, first)
        if done is not None:
            self._done(life, done, minutes)  # what is logged when it is done took as long as it was to take

    async def _move(self, life: Life, action: str) -> None:
        status, command, handler = MOVES[action]
        if await self._taken(command, handler, activity_id=life.id):
            life.becomes(self.clock, status=status or ("in_progress" if life.started else "pending"))
            life.started |= life.now.status == "in_progress"

    async def _reschedule(self, life: Life, said: dict[str, Any]) -> None:
        due, before = self.clock + timedelta(hours=said["due"] or 0), life.now.due
        if await self._taken(RescheduleActivity, reschedule_activity, activity_id=life.id, new_due_at=due):
            life.becomes(self.clock, due=due, status="pending" if life.now.status == "deferred" else life.now.status)
            if before is not None and due > before:
                self.book.note("slipped", self.clock, life.now)

    async def _change(self, life: Life, said: dict[str, Any]) -> None:
        changes = ActivityChanges(type=said["type"], assigned_user_id=said["user"])
        if await self._taken(UpdateActivity, update_activity, activity_id=life.id, changes=changes):
            life.becomes(self.clock, type=said["type"], user=said["user"])

    async def _complete(self, life: Life, said: dict[str, Any]) -> None:
        done = self.clock - timedelta(hours=said["back"])
        completion = Completion(duration_minutes=said["actual"], completed_at=done)
        if await self._taken(CompleteActivity, complete_activity, activity_id=life.id, completion=completion):
            life.becomes(self.clock, status="completed")
            self._done(life, done, said["actual"])

    def _done(self, life: Life, done: datetime, actual: int | None) -> None:
        life.completed_at = done
        minutes = {"planned_minutes": life.planned or 0, "actual_minutes": actual or 0}
        self.book.note("completed", self.clock, life.now, done, **minutes)
        worth = actual if actual is not None else life.planned
        if life.currency and worth is not None:
            self.book.bills.append((self.clock, done, life.now, life.currency, worth))

    async def _cancel(self, life: Life, said: dict[str, Any]) -> None:
        id_, due = str(ULID()), None if said["due"] is None else self.clock + timedelta(hours=said["due"])
        command = {"activity_id": life.id, "reschedule_date": due, "successor_id": id_}
        if await self._taken(CancelActivity, cancel_activity, **command):
            before = life.now
            life.becomes(self.clock, status="cancelled")
            self.book.note("cancelled", self.clock, life.now)
            if due is not None:
                first = Looks(self.clock, "pending", before.type, before.user, due)
                self.book.lives.append(Life(id_, life.planned, life.currency, [first]))
                self.book.note("created", self.clock, first)

    async def _delete(self, life: Life, said: dict[str, Any]) -> None:
        if await self._taken(DeleteActivity, delete_activity, activity_id=life.id):
            life.becomes(self.clock, deleted=True)
            self.book.note("deleted", self.clock, life.now)

    async def _restore(self, life: Life, said: dict[str, Any]) -> None:
        if await self._taken(RestoreActivity, restore_activity, activity_id=life.id):
            life.becomes(self.clock, deleted=False)
            self.book.note("restored", self.clock, life.now)


STATUSES = ("pending", "pending", "pending", "in_progress", "waiting", "deferred", "completed", "cancelled")
ACTIONS = ("create", "create", "start", "defer", "wait", "resume", "reschedule", "reschedule")
ACTIONS += ("change", "complete", "complete", "cancel", "delete", "restore")
happenings = st.fixed_dictionaries(
    {
        "gap": st.sampled_from([0, 1, 7, 24]),
        "action": st.sampled_from(ACTIONS),
        "which": st.integers(0, 99),
        "status": st.sampled_from(STATUSES),
        "type": st.sampled_from(TYPES),
        "user": st.sampled_from(USERS),
        "due": st.sampled_from([None, -30, -1, 3, 20, 40, 24 * 365]),
        "back": st.sampled_from([0, 5, 30, 100]),
        "planned": st.sampled_from([None, 0, 30]),
        "actual": st.sampled_from([None, 15, 45]),
        "currency": st.sampled_from([None, *CURRENCIES]),
    }
)
A_CALL = {"gap": 1, "which": 0, "status": "pending", "type": "call", "user": "u-1", "due": 20, "back": 0}
A_CALL |= {"planned": 30, "actual": None, "currency": "USD"}


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes many commands: the example is small enough
)
@given(history=st.lists(happenings, max_size=30), stretch=st.sampled_from([1, 4, 1000]))
@example(  # due, then two days of silence, then said to have been done long before
    history=[{**A_CALL, "action": "create"}, {**A_CALL, "gap": 48, "action": "complete", "back": 40}], stretch=1000
)
@example(  # given to somebody else while it is overdue
    history=[
        {**A_CALL, "action": "create", "due": -30},
        {**A_CALL, "gap": 24, "action": "change", "user": "u-2"},
        {**A_CALL, "gap": 24, "action": "delete"},
        {**A_CALL, "gap": 24, "action": "restore"},
    ],
    stretch=1,
)
def test_daily_facts_are_what_one_counts_by_hand(
    module_database: str, monkeypatch: pytest.MonkeyPatch, history: list[dict[str, Any]], stretch: int
) -> None:
    monkeypatch.setattr("projections.catching_up.STRETCH", stretch)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=DAYS + 30)
    lived = History(module_database, start)
    asyncio.run(lived.live(history))
    project(module_database, lived.organization)

    for zone in ZONES:
        for axis in AXES:
            facts, bills, now = asked(module_database, lived.organization, axis, zone)
            expected = lived.book.facts(axis, ZoneInfo(zone), now)
            assert facts == {key: tuple(counted[m] for m in MEASURES) for key, counted in expected.items()}, (
                axis,
                zone,
            )
            assert bills == lived.book.billing(axis, ZoneInfo(zone)), (axis, zone)


def test_afterwards_every_change_is_what_the_log_says(module_database: str) -> None:
    lived = History(module_database, datetime(2025, 1, 1, tzinfo=UTC))
    asyncio.run(lived.live([{**A_CALL, "action": action} for action in ("create", "reschedule", "start", "complete")]))
    project(module_database, lived.organization)

    verdicts = list(verify(module_database, [READ_MODELS["activity_changes"]], lambda events: None))

    assert [verdict.drift for verdict in verdicts if verdict.organization_id == lived.organization] == [[]]
    assert sum(verdict.rows for verdict in verdicts if verdict.organization_id == lived.organization) == 4


def project(dsn: str, organization: str) -> None:
    catching_up = CatchingUp(READ_MODELS, Folder())
    with psycopg.connect(conninfo(dsn, Role.PROJECTOR), autocommit=True) as connection:
        while catching_up.advance(connection, organization, epoch=1):
            pass


def asked(dsn: str, organization: str, axis: str, zone: str) -> tuple[Any, Any, datetime]:
    """The rows of both daily views by their dimensions, and when they were asked for."""
    with psycopg.connect(conninfo(dsn, Role.READER)) as connection:
        connection.execute("select begin_reading(%s, '{}')", (organization,))
        connection.execute("select set_config('analytics.time_zone', %s, true)", (zone,))
        columns = ", ".join(("day", "type", "assigned_user_id", *MEASURES))
        facts = connection.execute(f"select {columns} from analytics.daily_facts_{axis}").fetchall()
        bills = connection.execute(
            f"select day, currency, type, assigned_user_id, completed, minutes, billable_amount"
            f" from analytics.daily_billing_{axis}"
        ).fetchall()
        [(now,)] = connection.execute("select now()")
    assert len({row[:3] for row in facts}) == len(facts)
    return {row[:3]: row[3:] for row in facts}, {row[:4]: row[4:] for row in bills}, now
