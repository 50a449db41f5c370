"""Keys from the command line: what each of these says has happened when it returns."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from psycopg import AsyncConnection
from pydantic import TypeAdapter

from application.api_key import commands
from application.api_key.listing import ShownKey, listed
from application.api_key.recognition import HONOURED
from application.api_key.secrets import new_key
from application.command import Answer as Said
from application.command import Order, Receipt
from application.desk import Desk
from application.oversight.operator import operator
from application.postgres.connections import writer_of
from domain.api_key.drafts import NewApiKey
from domain.api_key.scopes import DEFAULT_SCOPES
from domain.refusals import Unknown
from domain.values import Reference

_OWNER = "select organization_id from presented_api_key(%s)"
_reference: TypeAdapter[str] = TypeAdapter(Reference)
Answer = TypeVar("Answer")


def create_api_key(
    dsn: str, organization: str, name: str, scopes: Sequence[str] = DEFAULT_SCOPES, *, pepper: str
) -> str:
    """The key's text: nobody can say it again. Raises ValueError for a name or a scope that cannot be."""
    key = new_key()
    command = commands.CreateApiKey(
        organization_id=_reference.validate_python(organization),
        actor=operator(),
        key_id=key.id,
        new=NewApiKey.model_validate({"name": name, "scopes": list(scopes)}),
        secret_hmac=key.hmac(pepper),
    )
    _serve(dsn, Order(command, commands.create_api_key, _nothing_to_say))
    return str(key)


def list_api_keys(dsn: str, organization: str) -> list[ShownKey]:
    """The organisation's keys, oldest first; revoked ones, too."""
    keys, _ = _ask(dsn, lambda connection: listed(connection, organization))
    return keys


def revoke_api_key(dsn: str, organization: str | None, key_id: str) -> None:
    """From now on no worker takes it. No organisation: whosever the key is. Raises Unknown."""
    if not commands.is_key_id(key_id):
        raise Unknown("API key")
    key_id = key_id.upper()
    owner = organization or _ask(dsn, lambda connection: _owner(connection, key_id))
    command = commands.RevokeApiKey(organization_id=owner, actor=operator(), key_id=key_id)
    _serve(dsn, Order(command, commands.revoke_api_key, _nothing_to_say))
    time.sleep(HONOURED)


async def _owner(connection: AsyncConnection[Any], key_id: str) -> str:
    row = await (await connection.execute(_OWNER, (key_id,))).fetchone()
    if row is None:
        raise Unknown("API key")
    return str(row[0])


def _nothing_to_say(receipt: Receipt) -> Said:
    return Said(200, b"")


def _serve(dsn: str, order: Order) -> None:
    """A desk of one lane, for one order."""

    async def serve() -> None:
        async with Desk(writer_of(dsn), lanes=1).opened() as desk:
            await desk.serve(order)

    asyncio.run(serve())


def _ask(dsn: str, question: Callable[[AsyncConnection[Any]], Awaitable[Answer]]) -> Answer:
    async def ask() -> Answer:
        async with await writer_of(dsn)() as connection:
            return await question(connection)

    return asyncio.run(ask())
