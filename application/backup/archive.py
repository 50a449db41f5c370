"""The file: a zip with a member a table and the manifest last. It is there as a whole or not at all.

A file that was cut short has no directory, a damaged one other digests: found before anything is done with it.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from pydantic import ValidationError

from application.backup.errors import Refused, Unreadable
from application.backup.manifest import NAME, Manifest, SavedTable
from application.durable import make_durable

Told = Callable[[int], None]
"""Told how many rows more are done."""

_QUICKLY = 1
_PIECE = 1 << 20
_NOT_WHOLE = "is not a whole backup: it was cut short, damaged, or never was one"
_DAMAGED = (BadZipFile, zlib.error, struct.error, EOFError, KeyError, NotImplementedError, RuntimeError, ValueError)
"""What the library raises for a zip that is none, or says of itself what cannot be."""


@contextmanager
def new_file(path: Path) -> Iterator[ZipFile]:
    """Written beside, to the disk, and renamed once the block ends well. Raises Refused where there is a file."""
    if path.exists():
        raise Refused(f"{path} is there already")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_QUICKLY) as archive:
                yield archive
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, path)
        make_durable(path.parent)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def write_table(archive: ZipFile, name: str, columns: list[str], pieces: Iterable[bytes], told: Told) -> SavedTable:
    """Write the rows as they come."""
    digest, rows, size = sha256(), 0, 0
    table = SavedTable(name=name, columns=columns, rows=0, bytes=0, sha256="")
    with archive.open(table.member, "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)
            digest.update(piece)
            size += len(piece)
            more = piece.count(b"\n")  # one a row: within a value they are escaped
            rows += more
            told(more)
    return table.model_copy(update={"rows": rows, "bytes": size, "sha256": digest.hexdigest()})


def write_manifest(archive: ZipFile, manifest: Manifest) -> None:
    archive.writestr(NAME, manifest.model_dump_json(indent=2))


@contextmanager
def opened(path: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """A backup to read from. Raises Unreadable; what is wrong with a table is only found by `checked`."""
    archive = _zip_of(path)
    with archive:
        yield archive, _manifest_of(archive, path)


def _zip_of(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except _DAMAGED as error:
        raise Unreadable(f"{path} {_NOT_WHOLE}") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error


def _manifest_of(archive: ZipFile, path: Path) -> Manifest:
    try:
        told = archive.read(NAME)
    except (*_DAMAGED, OSError) as error:  # a damaged directory may lead to places no file has
        raise Unreadable(f"{path} {_NOT_WHOLE}") from error
    try:
        manifest = Manifest.model_validate_json(told)
    except ValidationError as error:
        raise Unreadable(f"{path} is no backup this version can read") from error
    if sorted(archive.namelist()) != sorted([NAME, *(table.member for table in manifest.tables)]):
        raise Unreadable(f"{path} does not hold what its manifest says")
    return manifest


def checked(archive: ZipFile, manifest: Manifest, told: Told) -> None:
    """Read all of it. Raises Unreadable where anything is not as it was written."""
    for table in manifest.tables:
        digest = sha256()
        for piece in pieces_of(archive, table):
            digest.update(piece)
            told(piece.count(b"\n"))
        if digest.hexdigest() != table.sha256:
            raise Unreadable(f"the backup is damaged: {table.name} is not what was written")


def pieces_of(archive: ZipFile, table: SavedTable) -> Iterator[bytes]:
    try:
        with archive.open(table.member) as member:
            while piece := member.read(_PIECE):
                yield piece
    except (*_DAMAGED, OSError) as error:
        raise Unreadable(f"the backup is damaged: {table.name} cannot be read") from error
