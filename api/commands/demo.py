"""`activities demo`: an organisation big enough to look real, lived through day by day, then a tour of it."""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from api.commands.progress import progress
from api.commands.sample import Happening, Sample
from api.http.tokens import DEFAULT_SCOPES, issue
from application.command import Answer, Order, Receipt
from application.desk import Desk
from application.postgres.connections import writer_of
from application.settings import Settings

DAYS = 365


class Calendar:
    """The demo's clock: it stands still until the day is over."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


def load(dsn: str, organization: str) -> None:
    """Live the sample year; an organisation that has a log already is left as it is."""
    asyncio.run(_live(dsn, organization))


async def _live(dsn: str, organization: str) -> None:
    if await _has_log(dsn, organization):
        print(f"organisation {organization} is there already; nothing was loaded")
        return
    today = datetime.now(UTC).replace(microsecond=0)
    calendar = Calendar(today - timedelta(days=DAYS))
    async with Desk(writer_of(dsn), lanes=1, clock=calendar).opened() as desk:
        for day in progress(list(Sample(organization, today, DAYS).days()), "loading the sample year"):
            calendar.now = day.at
            await _serve(desk, day.happenings)


async def _serve(desk: Desk, happenings: Iterable[Happening]) -> None:
    """One day's commands in order; the desk makes batches of them."""
    orders = [Order(happening.command, happening.handler, _received) for happening in happenings]
    await asyncio.gather(*(desk.serve(order) for order in orders))


def _received(receipt: Receipt) -> Answer:
    return Answer(200, b"")


async def _has_log(dsn: str, organization: str) -> bool:
    async with await writer_of(dsn)() as connection, connection.transaction():
        await connection.execute("select set_config('activities.organization_id', %s, true)", (organization,))
        cursor = await connection.execute(
            "select position from heads where organization_id = %s and position > 0", (organization,)
        )
        return await cursor.fetchone() is not None


def tour(settings: Settings, organization: str) -> None:
    """A token, and questions to ask with it."""
    token = issue(
        settings.secret(),
        organization=organization,
        user="user-1",
        scopes=DEFAULT_SCOPES,
        ttl=settings.token_ttl,
        now=time.time(),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
    base = f"http://{settings.host}:{settings.port}/api/v1/crm"
    print(f"\nexport TOKEN={token}\n")
    for path in (
        "/activities?status=open&sort_by=priority&sort_direction=desc&per_page=5",
        "/activities/overdue?assigned_user_id=me&per_page=5",
        "/activities/search?q=propsal+renewal&per_page=5",
        "/activities/follow-ups?per_page=5",
    ):
        print(f"curl -s -H \"Authorization: Bearer $TOKEN\" '{base}{path}'")
