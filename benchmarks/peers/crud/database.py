"""Sessions: one pool of connections a process, one transaction a request."""

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.peers.serve import DSN

_ENGINE = create_async_engine(
    make_url(os.environ.get(DSN, "postgresql:///")).set(drivername="postgresql+asyncpg"),
    pool_size=20,
    connect_args={"server_settings": {"timezone": "UTC", "jit": "off", "pg_trgm.word_similarity_threshold": "0.4"}},
)
_SESSIONS = async_sessionmaker(_ENGINE, expire_on_commit=False)


async def _session() -> AsyncIterator[AsyncSession]:
    async with _SESSIONS() as session:
        yield session


Db = Annotated[AsyncSession, Depends(_session)]
