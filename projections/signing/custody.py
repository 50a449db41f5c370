"""What the signer keeps outside the database: its key, and the last checkpoint it signed of every organisation.

Files of its own user alone. A head is the signed note itself, replaced whole: after a crash it is the old one or the
new one, and it is on the disk before anybody is shown the checkpoint.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.durable import make_durable
from application.proof.notes import Checkpoint, NotACheckpoint, VerifierKey, origin_of
from application.settings import Settings


class Custody:
    """The directory of one signer. `name` is the first part of its origins."""

    def __init__(self, directory: Path, name: str) -> None:
        self._heads = directory / "heads"
        self.name = name
        self._heads.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._key = _key(directory / "key")
        self.public = self._key.public_key().public_bytes_raw()

    def verifier(self, organization_id: str) -> VerifierKey:
        return VerifierKey(origin_of(self.name, organization_id), self.public)

    def sign(self, organization_id: str, size: int, root: bytes) -> str:
        return Checkpoint(origin_of(self.name, organization_id), size, root).signed(self._key)

    def head(self, organization_id: str) -> tuple[Checkpoint, str] | None:
        """The last checkpoint signed, and its note; None where none ever was. Raises NotACheckpoint."""
        try:
            note = self._path(organization_id).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeError:
            raise NotACheckpoint("the head kept outside the database cannot be read") from None
        return Checkpoint.read(note, self.verifier(organization_id)), note

    def keep(self, organization_id: str, note: str) -> None:
        """Replace the head, durably."""
        path = self._path(organization_id)
        draft = path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        make_durable(self._heads)

    def origins(self) -> Iterator[str]:
        """The origins there are heads of, as the files say; they are verified when they are read."""
        for path in self._heads.glob("*.note"):
            with suppress(FileNotFoundError, UnicodeError):
                yield path.read_text(encoding="utf-8").partition("\n")[0]

    def _path(self, organization_id: str) -> Path:
        return self._heads / f"{sha256(organization_id.encode()).hexdigest()}.note"


def custody_of(settings: Settings) -> Custody:
    """The signer's directory; made, where there is none. Raises OSError where it cannot be used, ValueError where its
    key cannot."""
    return Custody(directory_of(settings), settings.signer_name)


def custody_at_hand(settings: Settings) -> Custody | None:
    """The signer's directory, if it is on this machine and ours to read."""
    return custody_of(settings) if os.access(directory_of(settings) / "key", os.R_OK) else None


def directory_of(settings: Settings) -> Path:
    return settings.signer_dir or settings.data_dir / "signer"


def _key(path: Path) -> Ed25519PrivateKey:
    """The key; made once: written aside and linked into place, so that of two makers one wins."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        make_durable(path.parent)
    if path.stat().st_mode & 0o077:
        raise ValueError(f"{path} may be read by others: chmod 600, and think of whether it must be replaced")
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
