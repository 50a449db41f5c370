"""The sample organisation: who is in it, and what happens in its year. The same every time, but for the dates."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from application.activity.cancel_activity import CancelActivity, cancel_activity
from application.activity.complete_activity import CompleteActivity, complete_activity
from application.activity.create_activity import CreateActivity, create_activity
from application.activity.reschedule_activity import RescheduleActivity, reschedule_activity
from application.activity.start_activity import StartActivity, start_activity
from application.command import Actor, Command, Handler
from application.record.commands import PutRecord, put_record
from application.ulids import new_ulid
from domain.activity.drafts import Completion, NewActivity
from domain.record.drafts import DRAFTS
from domain.vocabulary import ActivityType, Priority, RecordKind

RECORDS = {
    RecordKind.USER: 10,
    RecordKind.ACCOUNT: 30,
    RecordKind.CUSTOMER: 40,
    RecordKind.LEAD: 30,
    RecordKind.CONTACT: 50,
    RecordKind.OPPORTUNITY: 40,
}
ACTIVITIES = 2000
_TOPICS = (
    "renewal",
    "pricing",
    "integration",
    "onboarding",
    "proposal",
    "security review",
    "roadmap",
    "support plan",
    "training",
    "invoice",
    "expansion",
    "migration",
)
_TYPES = tuple(ActivityType)[:12]
_MINUTES = (15, 30, 30, 45, 60, 90)
_OUTCOMES = (
    "Agreed on the next steps; they will answer within the week.",
    "Questions answered. Interested, but the budget is decided next quarter.",
    "Left a message and sent the summary by email.",
    "Signed off. Handed over to the delivery team.",
)
_ABOUT = (RecordKind.CUSTOMER, RecordKind.OPPORTUNITY, RecordKind.LEAD, RecordKind.ACCOUNT)


@dataclass(frozen=True)
class Happening:
    """A command and its handler."""

    command: Command
    handler: Handler


@dataclass
class Day:
    at: datetime
    happenings: list[Happening] = field(default_factory=list)


class Sample:
    """What happens, day by day, in the year before `today` (and what is planned for the weeks after)."""

    def __init__(self, organization: str, today: datetime, days: int) -> None:
        self._organization = organization
        self._random = Random(20260101)  # the same every time  # nosec B311
        self._days = [Day(today - timedelta(days=days - number)) for number in range(days + 1)]

    def days(self) -> Iterator[Day]:
        for kind, count in RECORDS.items():
            for number in range(1, count + 1):
                self._happens(0, self._record(kind, number), put_record)
        for _ in range(ACTIVITIES):
            self._activity()
        yield from (day for day in self._days if day.happenings)

    def _happens(self, day: int, command: Command, handler: Handler) -> None:
        self._days[min(day, len(self._days) - 1)].happenings.append(Happening(command, handler))

    def _who(self) -> dict[str, Any]:
        actor = Actor(user_id=f"user-{self._random.randint(1, RECORDS[RecordKind.USER])}", client="demo")
        return {"organization_id": self._organization, "actor": actor}

    def _record(self, kind: RecordKind, number: int) -> Command:
        said: dict[str, Any] = {"name": f"{_TITLES[kind]} {number}"}
        if kind not in (RecordKind.USER, RecordKind.OPPORTUNITY):
            said["phone"] = f"+1-555-{number:04}"
        if kind is not RecordKind.OPPORTUNITY:
            said["email"] = f"{kind.value}-{number}@example.com"
        if kind in (RecordKind.CUSTOMER, RecordKind.OPPORTUNITY):
            said["account_id"] = f"account-{1 + number % RECORDS[RecordKind.ACCOUNT]}"
        if kind is RecordKind.OPPORTUNITY:
            said |= {"value": self._random.randrange(5, 500) * 1000, "stage": "proposal", "probability": 40}
        draft = DRAFTS[kind].model_validate(said)
        return PutRecord(kind=kind, draft=draft, record_id=f"{kind.value}-{number}", **self._who())

    def _activity(self) -> None:
        r = self._random
        made = r.randrange(len(self._days))
        due = made + r.choice((0, 1, 2, 3, 5, 7, 14, 21))
        activity_id = new_ulid()
        self._happens(made, self._creation(activity_id, due), create_activity)
        if r.random() < 0.2:
            moved = due + r.choice((1, 2, 7))
            self._move(activity_id, made, moved)
            due = moved
        self._end(activity_id, due)

    def _creation(self, activity_id: str, due: int) -> Command:
        r = self._random
        kind, topic, type_ = r.choice(_ABOUT), r.choice(_TOPICS), r.choice(_TYPES)
        number = r.randint(1, RECORDS[kind])
        due_at = self._hour(due)
        billable = r.random() < 0.2
        said = {
            "type": type_,
            "subject": f"{type_.label} - {topic} with {_TITLES[kind].lower()} {number}",
            "description": f"Prepare and discuss {topic}; note open questions about {r.choice(_TOPICS)}.",
            "activityable_type": kind.value,
            "activityable_id": f"{kind.value}-{number}",
            "contact_id": f"contact-{r.randint(1, RECORDS[RecordKind.CONTACT])}",
            "assigned_user_id": f"user-{r.randint(1, RECORDS[RecordKind.USER])}",
            "due_at": due_at,
            "reminder_at": due_at - timedelta(minutes=15),
            "duration_minutes": r.choice(_MINUTES),
            "priority": r.choice(tuple(Priority)),
            "tags": sorted({topic.replace(" ", "-"), r.choice(("q1", "q2", "q3", "q4"))}),
            "is_billable": billable,
            "billable_rate": 150.0 if billable else None,
        }
        return CreateActivity(new=NewActivity.model_validate(said), activity_id=activity_id, **self._who())

    def _move(self, activity_id: str, day: int, to: int) -> None:
        command = RescheduleActivity(
            activity_id=activity_id, new_due_at=self._hour(to), reason="They asked for another day", **self._who()
        )
        self._happens(day, command, reschedule_activity)

    def _end(self, activity_id: str, due: int) -> None:
        """What becomes of it, once it is due: mostly it is done, sometimes cancelled, sometimes left lying."""
        r = self._random
        if due >= len(self._days):
            return
        fate = r.random()
        if fate < 0.75:
            completion = Completion(
                outcome=r.choice(_OUTCOMES),
                duration_minutes=r.choice(_MINUTES),
                follow_up_required=r.random() < 0.3 or None,
            )
            command = CompleteActivity(activity_id=activity_id, completion=completion, **self._who())
            self._happens(due, command, complete_activity)
        elif fate < 0.87:
            reason = "No longer relevant"
            self._happens(due, CancelActivity(activity_id=activity_id, reason=reason, **self._who()), cancel_activity)
        elif fate < 0.93:
            self._happens(due, StartActivity(activity_id=activity_id, **self._who()), start_activity)

    def _hour(self, day: int) -> datetime:
        start = self._days[0].at + timedelta(days=day)
        return start.replace(hour=self._random.randint(8, 17), minute=self._random.choice((0, 30)), second=0)


_TITLES = {
    RecordKind.USER: "Representative",
    RecordKind.ACCOUNT: "Account",
    RecordKind.CUSTOMER: "Customer",
    RecordKind.LEAD: "Lead",
    RecordKind.CONTACT: "Head of purchasing",
    RecordKind.OPPORTUNITY: "Opportunity",
}
