"""How this service connects: as which role, to which schema, with which bounds on waiting."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from application.postgres.migrations import SCHEMA


class Role(StrEnum):
    """Each part of the service works as the one database role that may do what it does, and no more."""

    WRITER = "activities_writer"
    PROJECTOR = "activities_projector"
    READER = "activities_reader"
    SIGNER = "activities_signer"


_BOUNDS = {
    Role.WRITER: {
        "lock_timeout": "4s",
        "statement_timeout": "8s",
        "idle_in_transaction_session_timeout": "8s",
        "plan_cache_mode": "force_generic_plan",
    },
    Role.PROJECTOR: {"statement_timeout": "60s", "synchronous_commit": "off"},
    Role.READER: {
        "statement_timeout": "5s",
        "default_transaction_read_only": "on",
        "plan_cache_mode": "force_generic_plan",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_memoize": "off",
        "enable_seqscan": "off",
    },
    Role.SIGNER: {"statement_timeout": "60s", "lock_timeout": "4s"},
}
"""Read tables can be folded again from the log, so only the log's own commits wait for the disk. Planning takes longer
than most statements take to run, so it is done once for all parameters."""


_NOTICED = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""A peer that is gone without a word is noticed within half a minute, by whoever waits for it."""


def conninfo(dsn: str, role: Role) -> str:
    """The DSN to connect with as `role`. Options the operator put in the DSN come first and stay."""
    settings = {"role": role, "search_path": f"{SCHEMA},public", "timezone": "UTC", "jit": "off", **_BOUNDS[role]}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given = conninfo_to_dict(dsn).get("options")
    return make_conninfo(
        dsn,
        options=f"{given} {options}" if given else options,
        application_name=role.value,
        connect_timeout=5,
        **_NOTICED,
    )


def writer_of(dsn: str) -> Callable[[], Awaitable[AsyncConnection[Any]]]:
    """What makes a desk its connections: each commits by itself unless a transaction is begun."""
    to_write = conninfo(dsn, Role.WRITER)

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(to_write, autocommit=True)

    return connect
