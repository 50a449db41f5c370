"""A log with its tree and its signer, all in the test's own process, and whoever tampers with it as superuser."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.commands.audit.exporting import export
from api.commands.audit.scrubbing import scrub
from application.activity.create_activity import CreateActivity, create_activity
from application.command import AUDIT_RECEIPT, Actor, Answer, Order, Policy
from application.desk import Desk
from application.postgres.connections import Role, conninfo, writer_of
from domain.activity.drafts import NewActivity
from projections.audit_tree.growing import Growing
from projections.signing.custody import Custody
from projections.signing.signer import Signer

ACME = "acme"


@dataclass(frozen=True)
class Verdict:
    """How a verification ended: its exit code and all it said."""

    code: int
    said: str


class Proving:
    """The service's database, and the signer's directory, which is elsewhere."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self.dsn = dsn
        self.directory = directory

    @property
    def custody(self) -> Custody:
        return Custody(self.directory / "signer", "activities")

    def record(self, count: int, organization: str = ACME) -> list[str]:
        """Record so many events, one a command; the receipts."""
        return asyncio.run(self._record(count, organization))

    async def _record(self, count: int, organization: str) -> list[str]:
        async with Desk(writer_of(self.dsn), policy=Policy(strict_references=False)).opened() as desk:
            answers = await asyncio.gather(*(desk.serve(_creation(n, organization)) for n in range(count)))
        return [answer.headers[AUDIT_RECEIPT] for answer in answers]

    def grow(self) -> None:
        """Take all there is into the trees."""
        with psycopg.connect(conninfo(self.dsn, Role.PROJECTOR), autocommit=True) as connection:
            growing = Growing()
            growing.look(connection)
            while growing.step(connection, epoch=1):
                pass

    def signer(self, custody: Custody | None = None) -> Signer:
        return Signer(self.dsn, custody or self.custody, threading.Event(), interval=1)

    def sign(self, signer: Signer | None = None) -> None:
        """Grow, and let a signer (by default a fresh one, as after a restart) look at everything once."""
        self.grow()
        with psycopg.connect(conninfo(self.dsn, Role.SIGNER), autocommit=True) as connection:
            (signer or self.signer()).round(connection)

    def tamper(self, *statements: str) -> None:
        """As the database's superuser, whom neither roles nor row-level security stop."""
        with psycopg.connect(self.dsn, options="-c search_path=activities") as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, statement: str) -> list[Any]:
        with psycopg.connect(self.dsn, options="-c search_path=activities") as connection:
            return connection.execute(statement).fetchall()

    def signed(self, organization: str = ACME) -> int:
        """How much of the log is under a checkpoint."""
        asked = f"select coalesce(max(size), 0) from audit_checkpoints where organization_id = '{organization}'"
        return int(self.rows(asked)[0][0])

    def alarm(self, organization: str = ACME) -> tuple[int, str] | None:
        found = self.rows(f"select position, reason from audit_alarms where organization_id = '{organization}'")
        return found[0] if found else None

    def scrub(self, capsys: Any) -> Verdict:
        capsys.readouterr()
        code = scrub(self.dsn, self.custody, None)
        return Verdict(code, capsys.readouterr().out)

    def bundle(self, organization: str = ACME, **wanted: Any) -> Path:
        path = self.directory / f"bundle-{uuid4().hex}"
        export(self.dsn, organization, path, **{"first": 1, "last": None, "known": None, **wanted})
        return path

    def key(self, organization: str = ACME) -> str:
        return str(self.custody.verifier(organization))

    def verify(self, bundle: Path, *arguments: str, key: str | None = None) -> Verdict:
        return verify(bundle, "--key", key or self.key(), *arguments)

    def checkpoint(self, organization: str = ACME) -> Path:
        """What an auditor keeps: the latest checkpoint, in a file of his own."""
        note = self.rows(
            f"select note from audit_checkpoints where organization_id = '{organization}' order by size desc limit 1"
        )[0][0]
        path = self.directory / f"checkpoint-{uuid4().hex}.txt"
        path.write_text(note, encoding="utf-8")
        return path

    @contextmanager
    def backup(self) -> Iterator["Proving"]:
        """The database as it is now, with the same signer's directory."""
        name, backup = conninfo_to_dict(self.dsn)["dbname"], f"backup_{uuid4().hex}"
        with psycopg.connect(make_conninfo(self.dsn, dbname="postgres"), autocommit=True) as connection:
            connection.execute(f"create database {backup} template {name}")
            try:
                yield Proving(make_conninfo(self.dsn, dbname=backup), self.directory)
            finally:
                connection.execute(f"drop database {backup} with (force)")


def verify(bundle: Path, *arguments: str) -> Verdict:
    """The bundle's own verifier, by a Python that does not know of us."""
    command = [sys.executable, "-I", "-S", str(bundle / "verify.py"), *arguments]
    done = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, timeout=120)
    return Verdict(done.returncode, done.stdout + done.stderr)


def _creation(number: int, organization: str) -> Order:
    new = NewActivity.model_validate(
        {"type": "call", "subject": f"Call {number}", "activityable_type": "lead", "activityable_id": "l-1"}
    )
    command = CreateActivity(organization_id=organization, actor=Actor(user_id="u-1", client="k-1"), new=new)
    return Order(command, create_activity, lambda receipt: Answer(201, b"{}"))
