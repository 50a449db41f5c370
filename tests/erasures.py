"""What tests of erasures have in common: Pat, of whom calls speak, and what the log says of her afterwards."""

import asyncio
from typing import Any

import psycopg
from ulid import ULID

from application.activity.create_activity import CreateActivity, create_activity
from application.command import Actor, Answer, Order, Policy
from application.desk import Desk
from application.erasure.erase import Person
from application.event_store.keyring import RING
from application.event_store.mapper import decode, record_key
from application.event_store.reading import learn
from application.postgres.connections import writer_of
from application.record.commands import PutRecord, put_record
from domain.activity.drafts import NewActivity
from domain.erasure.drafts import Basis, Erasure
from domain.record.drafts import ContactDraft
from domain.vocabulary import RecordKind

ACME = "acme"
ME = Actor(user_id="u-1")
PAT = Person(ACME, RecordKind.CONTACT, "pat")
WANTED = Erasure(basis=Basis.OBJECTION)
LENIENT = Policy(strict_references=False)


class Cut(Exception):
    """The process ends here."""


def done(receipt: Any) -> Answer:
    return Answer(200, b"")


def new(subject: str = "Zanzibar") -> NewActivity:
    return NewActivity.model_validate(
        {
            "type": "call",
            "subject": subject,
            "activityable_type": "account",
            "activityable_id": "a",
            "contact_id": "pat",
        }
    )


async def fill(desk: Desk, calls: int) -> list[str]:
    ids = [str(ULID()) for _ in range(calls)]
    draft = ContactDraft(name="Zanzibar", email="zanzibar@x.example")
    put = PutRecord(organization_id=ACME, actor=ME, kind=RecordKind.CONTACT, record_id="pat", draft=draft)
    await desk.serve(Order(put, put_record, done))
    made = [CreateActivity(organization_id=ACME, actor=ME, new=new(), activity_id=id) for id in ids]
    await asyncio.gather(*(desk.serve(Order(one, create_activity, done)) for one in made))
    return ids


def topics(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select topic from activities.events where organization_id = 'acme' order by position"
        )
        return [topic for (topic,) in rows]


def key_of(dsn: str) -> tuple[bool, bool, bool]:
    """Of Pat's key: is it wrapped, closed, destroyed?"""
    with psycopg.connect(dsn) as connection:
        [row] = connection.execute(
            "select wrapped_key is not null, closed_at is not null, destroyed_at is not null"
            " from activities.data_keys where subject = %s",
            (record_key("contact", "pat"),),
        ).fetchall()
        return row


def readable(dsn: str) -> bool:
    """Whether anything in the log, opened with every key there is, says it."""
    with psycopg.connect(dsn, options="-c search_path=activities") as connection:
        rows = connection.execute("select topic, state from events where organization_id = 'acme'").fetchall()
        RING.forget(ACME)
        learn(connection, ACME, (state for _, state in rows))
    return any("anzibar" in str(decode(topic, state)) for topic, state in rows)


def desk_of(dsn: str) -> Desk:
    return Desk(writer_of(dsn), policy=LENIENT, lanes=1, most_at_once=512)
