"""The data directory: made once by initdb, and only ever opened by the major version that made it."""

import os
import shutil
import subprocess
import sys

from application.durable import make_durable
from application.postgres.embedded.binaries import Binaries
from application.postgres.embedded.errors import DidNotStart, OtherMajor
from application.postgres.embedded.home import Home, make_private
from application.postgres.embedded.locks import FileLock
from application.postgres.embedded.os_user import OsUser

_INITDB_SECONDS = 60


def refuse_other_major(home: Home, binaries: Binaries) -> None:
    """Raises OtherMajor when there is data these binaries cannot read."""
    version = home.data / "PG_VERSION"
    if version.exists() and (found := version.read_text().strip()) != str(binaries.major):
        raise OtherMajor(
            f"{home.data} holds data of PostgreSQL {found}, the installed one is {binaries.major}: "
            f"dump it with {found} and restore, or point ACTIVITIES_PG_BIN_DIR to a PostgreSQL {found}"
        )


def make_cluster(home: Home, binaries: Binaries, user: OsUser, lock: FileLock, *, durable: bool) -> None:
    """Run initdb, unless there is a cluster already. The caller holds the server lock."""
    if (home.data / "PG_VERSION").exists():
        return
    # initdb writes PG_VERSION early: beside and renamed, a half-made directory is never taken for a good one.
    draft = home.path / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    make_private(draft, user)
    command = [str(binaries.initdb), "-D", str(draft), *_options(binaries.major)]
    made = subprocess.run(
        command if durable else [*command, "--no-sync"],
        cwd="/",
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=_INITDB_SECONDS,
        start_new_session=True,
        pass_fds=(lock.fd,),  # so that nobody removes the draft below an initdb whose caller was killed
        **user.run_as(),
    )
    if made.returncode:
        raise DidNotStart(f"initdb failed: {' / '.join(made.stdout.strip().splitlines()[-3:])}")
    draft.rename(home.data)
    make_durable(home.path)  # else the next start could take the data for a draft


def clean_environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL (PGPORT, PGOPTIONS) and without our own secrets."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ACTIVITIES_"))}


def _options(major: int) -> list[str]:
    return [
        "--username=postgres",
        "--encoding=UTF8",
        "--auth-local=trust",  # the socket's directory is closed to everybody else
        "--auth-host=reject",
        "--data-checksums",
        *_locale(major),
    ]


def _locale(major: int) -> list[str]:
    """The builtin provider where there is one: no upgrade of the C library can then reorder an index."""
    if major >= 18:
        return ["--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", "--locale=C"]
    if major == 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=en_US.UTF-8" if sys.platform == "darwin" else "--locale=C.UTF-8"]
