"""An organisation's keys as they may be shown: everything but what the secret is recognised by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from domain.api_key.api_key import ApiKey

_CONFINE = "select set_config('activities.organization_id', %s, true)"
_COUNT = "select count(*) from api_keys where organization_id = %s"
_LIST = """
select id, name, scopes, created_by, created_at, revoked_at, last_used_at
  from api_keys
 where organization_id = %s and id > %s
 order by id
 limit %s offset %s
"""


@dataclass(frozen=True, slots=True)
class ShownKey:
    id: str
    name: str
    scopes: Sequence[str]
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


def shown_key(key: ApiKey) -> dict[str, Any]:
    return key.model_dump(exclude={"secret_hmac"})


async def listed(
    connection: AsyncConnection[Any],
    organization_id: str,
    *,
    after: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> tuple[list[ShownKey], int]:
    """Keys with ids beyond `after`, oldest first, and how many the organisation has in all."""
    async with connection.transaction():
        await connection.execute(_CONFINE, (organization_id,))
        [(total,)] = await (await connection.execute(_COUNT, (organization_id,))).fetchall()
        cursor = connection.cursor(row_factory=class_row(ShownKey))
        await cursor.execute(_LIST, (organization_id, after, limit, offset))
        return await cursor.fetchall(), total
