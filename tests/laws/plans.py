"""Plans of commands hypothesis draws, and an organisation in which they are carried out by a desk of its own.

The clock stands still and ids are counted, so that two organisations that were told the same hold the same.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from hypothesis import strategies as st
from psycopg import Connection

from api.http.answers import activity_answer
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
from application.command import Actor, Answer, Command, Handler, Order, Policy, RetryKey
from application.desk import Desk
from application.event_store import reading
from application.event_store.mapper import State, activity_key, advance, decode, plain
from application.event_store.reading import Row
from application.postgres.connections import Role, conninfo, writer_of
from domain.activity.activity import Activity
from domain.activity.drafts import ActivityChanges, Completion, NewActivity
from domain.refusals import Refusal
from projections.catching_up import CatchingUp
from projections.folding import Folder
from projections.read_models import READ_MODELS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACTIVITIES = 3
_ME = Actor(user_id="u-1")
_EVERYTHING = 2**60


@dataclass(frozen=True)
class Step:
    """What is done to which activity; `n` makes it differ from others of its kind."""

    kind: str
    activity: int
    n: int

    @property
    def activity_id(self) -> str:
        return f"01JFJ{self.activity:021}"


_ACTIONS: dict[str, tuple[type[Command], Handler]] = {
    "create": (CreateActivity, create_activity),
    "update": (UpdateActivity, update_activity),
    "reschedule": (RescheduleActivity, reschedule_activity),
    "start": (StartActivity, start_activity),
    "defer": (DeferActivity, defer_activity),
    "wait": (WaitActivity, wait_activity),
    "resume": (ResumeActivity, resume_activity),
    "complete": (CompleteActivity, complete_activity),
    "cancel": (CancelActivity, cancel_activity),
    "delete": (DeleteActivity, delete_activity),
    "restore": (RestoreActivity, restore_activity),
}
_OFTEN = ("update", "reschedule", "start", "defer", "wait", "resume", "restore")
_CHANGES = st.sampled_from([*_OFTEN * 2, "complete", "cancel", "delete"])


@st.composite
def plans(draw: st.DrawFn, longest: int = 25) -> list[Step]:
    """Each activity is created before anything else is done to it."""
    steps = [Step("create", activity, draw(st.integers(0, 5))) for activity in range(ACTIVITIES)]
    for _ in range(draw(st.integers(1, longest))):
        steps.append(Step(draw(_CHANGES), draw(st.integers(0, ACTIVITIES - 1)), draw(st.integers(0, 5))))
    return steps


class Organization:
    """One in a database that is shared, which no other test knows. Commands are served by a desk of its own."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.id = f"org-{uuid4().hex}"

    def carry_out(self, *rounds: Sequence[tuple[Step, str | None]]) -> list[list[Answer | Exception]]:
        """Each round's steps come at once, with their retry keys; the next begins when all are answered."""

        async def served() -> list[list[Answer | Exception]]:
            desk = Desk(writer_of(self.dsn), policy=Policy(strict_references=False), lanes=1, clock=lambda: NOON)
            async with desk.opened():
                return [
                    await asyncio.gather(
                        *(desk.serve(self._order(step, key)) for step, key in steps), return_exceptions=True
                    )
                    for steps in rounds
                ]

        outcomes = asyncio.run(served())
        for outcome in (one for of_round in outcomes for one in of_round):
            assert isinstance(outcome, Answer | Refusal), outcome
        return outcomes

    def log(self) -> list[Row]:
        with self._projector() as connection:
            return reading.after(connection, self.id, 0, _EVERYTHING)

    def story(self) -> list[tuple[int, UUID, int, str, bytes]]:
        """The log, unsealed, without who asked under which id."""
        return [(row.position, row.key, row.version, row.topic, plain(row.state)) for row in self.log()]

    def activities(self) -> dict[UUID, Activity]:
        """What the log says of each activity."""
        states: dict[UUID, State] = {}
        for row in self.log():
            states[row.key] = advance(states.get(row.key), decode(row.topic, row.state), row.position)
        return {key: state for key, state in states.items() if isinstance(state, Activity)}

    def project(self, upto: int = _EVERYTHING) -> None:
        """Bring the read tables up to the log, or to a position of it, by a projector that remembers nothing."""
        catching_up = CatchingUp(READ_MODELS, Folder())
        with self._projector() as connection:
            while catching_up.advance(connection, self.id, epoch=1, upto=upto):
                pass

    def tables(self) -> dict[str, list[str]]:
        """Every row of every read table, and every kept count that counts something."""
        counted = {
            name: f"select t::text from {name} t where organization_id = %s and n <> 0 order by 1" for name in COUNTS
        }
        rows = {name: f"select t::text from {name} t where organization_id = %s order by 1" for name in READ_MODELS}
        with self._projector() as connection:
            return {n: [row for (row,) in connection.execute(sql, (self.id,))] for n, sql in (rows | counted).items()}

    def forget_tables(self) -> None:
        """As if nothing had ever been projected."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for table in (*READ_MODELS, *COUNTS, "word_keys", "cursors"):
                connection.execute(f"delete from activities.{table} where organization_id = %s", (self.id,))

    def _projector(self) -> Connection[Any]:
        return psycopg.connect(conninfo(self.dsn, Role.PROJECTOR), autocommit=True)

    def _order(self, step: Step, key: str | None) -> Order:
        kind, handler = _ACTIONS[step.kind]
        retry_key = None if key is None else RetryKey(key=key, fingerprint=repr(step).encode())
        said = {"organization_id": self.id, "actor": _ME, "activity_id": step.activity_id, "retry_key": retry_key}
        return Order(kind(**said, **_said(step)), handler, activity_answer("Done"))


COUNTS = tuple(model.counts.name for model in READ_MODELS.values() if model.counts is not None)


def key_of(step: Step) -> UUID:
    return activity_key(step.activity_id)


def _said(step: Step) -> dict[str, Any]:
    due = NOON + timedelta(days=step.n - 2)
    if step.kind == "create":
        return {"new": NewActivity.model_validate({
            "type": "call", "subject": f"Call {step.n}", "activityable_type": "lead", "activityable_id": "l-1",
            "due_at": due, "follow_up_required": step.n % 2 == 0, "tags": [f"t{step.n % 3}"],
        })}  # fmt: skip
    if step.kind == "update":
        return {"changes": ActivityChanges.model_validate({
            "description": f"No {step.n}", "tags": [f"t{step.n % 3}"], "priority": ("low", "high")[step.n % 2],
        })}  # fmt: skip
    if step.kind == "reschedule":
        return {"new_due_at": due, "reason": None}
    if step.kind == "complete":
        return {"completion": Completion(outcome=f"No {step.n}")}
    return {}
