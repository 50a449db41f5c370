"""Granting, listing and revoking analysts' logins.

A login's organisation is written down beside its name, and row-level security looks there: nothing a login can set
counts. Its bounds (30 s a statement, read-only transactions, few connections) come with the role.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal
from pydantic import TypeAdapter, ValidationError

from application.analyst.connection_string import connection_string
from application.analyst.ownership import owner_of, refuse_without_rights
from application.oversight.on_record import grant_of, on_record, revocation_of
from application.postgres.migrations import ANALYST
from domain.values import Reference

MOST_CONNECTIONS = 3
_BOUNDS = {
    "statement_timeout": "30s",
    "default_transaction_read_only": "on",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "5s",
    "search_path": "analytics",
    "work_mem": "32MB",
    "timezone": "UTC",
}
"""An idle transaction keeps dead rows from being cleared for everybody, so it ends after a minute."""

_LOGIN = "select 1 from analysts where organization_id = %s and role_name = %s"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_reference: TypeAdapter[str] = TypeAdapter(Reference)


@dataclass(frozen=True, slots=True)
class Analyst:
    """A login, as the list shows it."""

    role: str
    name: str
    created_at: datetime


def grant_analyst(
    dsn: str, organization: str, name: str, *, time_zone: str | None = None, read_dsn: str | None = None
) -> str:
    """A new login's connection string, to the replica where there is one: nobody can say it again.

    `time_zone` is the one its days are in, UTC unless given. It is on record in the organisation's log. Raises
    ValueError for a name, an organisation or a zone that cannot be, CannotGrant, Unavailable.
    """
    organization = _checked(organization, name, time_zone)
    role, password = f"analyst_{name}_{secrets.token_hex(4)}", secrets.token_urlsafe(24)
    with owner_of(dsn, organization) as owner:
        refuse_without_rights(owner)
    with on_record(dsn, [organization], grant_of(role)), owner_of(dsn, organization) as owner:
        _create_login(owner, role, password)
        _bound(owner, role, _BOUNDS | ({"analytics.time_zone": time_zone} if time_zone else {}))
        owner.execute(
            "insert into analysts (role_name, organization_id, name) values (%s, %s, %s)", (role, organization, name)
        )
        return connection_string(read_dsn or dsn, owner.info.dbname, role, password)


def list_analysts(dsn: str, organization: str) -> list[Analyst]:
    """The organisation's logins, the oldest first."""
    with owner_of(dsn, organization) as owner:
        found = owner.execute(
            "select role_name, name, created_at from analysts"
            " where organization_id = %s order by created_at, role_name",
            (organization,),
        )
        return [Analyst(*row) for row in found]


def revoke_analyst(dsn: str, organization: str, role: str) -> bool:
    """End a login and its connections, on record; False where the organisation has none of that name.

    Raises CannotGrant, Unavailable.
    """
    with owner_of(dsn, organization) as owner:
        refuse_without_rights(owner)
        if owner.execute(_LOGIN, (organization, role)).fetchone() is None:
            return False
    with on_record(dsn, [organization], revocation_of(role)):
        _end(dsn, organization, role)
    return True


def _end(dsn: str, organization: str, role: str) -> None:
    with owner_of(dsn, organization) as owner:
        owner.execute("delete from analysts where organization_id = %s and role_name = %s", (organization, role))
        owner.execute(SQL("alter role {} nologin").format(Identifier(role)))
    with owner_of(dsn, organization) as owner:  # once the door is shut, those inside are sent away
        owner.execute(SQL("grant {} to current_user").format(Identifier(role)))  # may end its connections, then
        owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (role,))
        owner.execute(SQL("drop role {}").format(Identifier(role)))


def _checked(organization: str, name: str, time_zone: str | None) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("name: must have 1 to 32 lower-case letters, digits or underscores, a letter first")
    if time_zone is not None and time_zone not in available_timezones():
        raise ValueError("time zone: must be an IANA time zone, such as Europe/Vienna")
    try:
        return _reference.validate_python(organization)
    except ValidationError:
        raise ValueError("organization: must have 1 to 64 characters") from None


def _create_login(owner: Connection[Any], role: str, password: str) -> None:
    """The password is hashed here, so that no log of the server ever has it."""
    hashed = owner.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    owner.execute(
        SQL("create role {} login inherit connection limit {} password {}").format(
            Identifier(role), Literal(MOST_CONNECTIONS), Literal(hashed)
        )
    )
    owner.execute(SQL("grant {} to {}").format(Identifier(ANALYST), Identifier(role)))


def _bound(owner: Connection[Any], role: str, settings: Mapping[str, str]) -> None:
    for setting, value in settings.items():
        owner.execute(
            SQL("alter role {} in database {} set {} = {}").format(
                Identifier(role), Identifier(owner.info.dbname), Identifier(*setting.split(".")), Literal(value)
            )
        )
