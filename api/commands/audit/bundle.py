"""Where a bundle is written: a directory, or a .zip; file by file, each streamed."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from api.serving.errors import CannotServe


class Bundle(Protocol):
    def file(self, name: str) -> IO[bytes]:
        """A file to write, one at a time."""


class _Directory:
    def __init__(self, path: Path) -> None:
        self._path = path

    def file(self, name: str) -> IO[bytes]:
        return (self._path / name).open("wb")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def file(self, name: str) -> IO[bytes]:
        return self._archive.open(name, "w", force_zip64=True)


@contextmanager
def bundle_at(path: Path) -> Iterator[Bundle]:
    """A bundle that is not there yet. Raises CannotServe."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CannotServe(f"{path} is there already")
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            yield _Zip(archive)
    else:
        path.mkdir(parents=True, exist_ok=True)
        yield _Directory(path)
