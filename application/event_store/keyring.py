"""The keys personal data are sealed with: one for each person of an organisation, itself wrapped by the master key.

One ring a process. It holds keys it was taught (`learned`) and never asks a database itself: whoever reads the log
teaches it the keys of what was read. It is taught anew after RELEARN seconds, so that a key destroyed by another
process is soon forgotten by this one.
"""

import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.settings import Settings

SEALED = b'{"sealed":['
"""How a stored fact begins in which something is sealed. Plain ones begin with when they were recorded."""

RELEARN = 30.0
MOST = 8192
NONCE = 12
_KEY_IDS = re.compile(rb'"key":"([0-9a-f]{32})"')

KEYS_BY_ID = (
    "select organization_id, key_id, wrapped_key from data_keys where organization_id = %s and key_id = any(%s)"
)
"""SQL of the rows `learned` takes."""


FINGERPRINT = "select fingerprint from activities.master_key"
"""SQL of what the master key is recognised by with which the keys here were wrapped; no row before the first."""

KEYS_AS_THEY_ARE = """
select organization_id, key_id, wrapped_key from data_keys
 where organization_id = %(organization_id)s
   and (key_id = any(%(unknown)s::uuid[]) or (key_id = any(%(known)s::uuid[]) and destroyed_at is not null))
"""
"""SQL of the rows `learned` takes: some keys, and of others those that are destroyed."""


def named(states: Iterable[bytes]) -> set[str]:
    """The ids of the keys these stored facts are sealed with."""
    ids: set[str] = set()
    for state in states:
        if state.startswith(SEALED):
            ids.update(found.decode() for found in _KEY_IDS.findall(state, 0, state.index(b"]")))
    return ids


class WrongMasterKey(Exception):
    """The keys were wrapped by another master key than this process has."""

    def __init__(self) -> None:
        super().__init__("personal data here are sealed under another master key than ACTIVITIES_ENCRYPTION_KEY")


class NotLearned(Exception):
    """A sealed fact is to be opened whose key the ring was not taught."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A person's key; without a cipher it is destroyed."""

    organization_id: str
    id: str
    cipher: AESGCM | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, and how it is to be stored."""

    key: DataKey
    subject: UUID
    wrapped: bytes


class KeyRing:
    """`secret` is asked for the master key's text when it is first needed."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret
        self._master: _Master | None = None
        self._keys: OrderedDict[str, tuple[float, DataKey]] = OrderedDict()
        self._wanted = 0

    @property
    def fingerprint(self) -> str:
        """What the master key is recognised by; says nothing of it."""
        return self._known_master().fingerprint

    def outsider(self, organization_id: str, email: str) -> UUID:
        """Whom an email address stands for: nobody can tell without the master key."""
        return self._known_master().pseudonym(f"{organization_id}|{email.strip().casefold()}")

    def make(self, organization_id: str, subject: UUID, key_id: UUID | None = None) -> NewKey:
        """A new key for a person, of this id if one is said. The ring knows it once it is `learned`."""
        secret = AESGCM.generate_key(256)
        key = DataKey(organization_id, (key_id or uuid4()).hex, AESGCM(secret))
        nonce = os.urandom(NONCE)
        wrapped = nonce + self._known_master().cipher.encrypt(nonce, secret, _bound(key.organization_id, key.id))
        return NewKey(key, subject, wrapped)

    def thrown_away(self, organization_id: str, key_id: UUID) -> DataKey:
        """Seals what nobody is to open, as if under a key before it was destroyed."""
        return DataKey(organization_id, key_id.hex, AESGCM(AESGCM.generate_key(256)))

    def unwrapped(self, organization_id: str, key_id: UUID, wrapped: bytes | None) -> DataKey:
        """A key as it is stored. Raises WrongMasterKey."""
        if wrapped is None:
            return DataKey(organization_id, key_id.hex, None)
        bound = _bound(organization_id, key_id.hex)
        try:
            secret = self._known_master().cipher.decrypt(wrapped[:NONCE], wrapped[NONCE:], bound)
        except InvalidTag:
            raise WrongMasterKey from None
        return DataKey(organization_id, key_id.hex, AESGCM(secret))

    def sealed_name(self, organization_id: str, erasure_id: str, name: str) -> bytes:
        """By what an erasure knows its person, to be stored until its end."""
        nonce = os.urandom(NONCE)
        bound = _bound(organization_id, f"erasure|{erasure_id}")
        return nonce + self._known_master().cipher.encrypt(nonce, name.encode(), bound)

    def name_in(self, organization_id: str, erasure_id: str, stored: bytes) -> str:
        """What `sealed_name` was given. Raises WrongMasterKey."""
        bound = _bound(organization_id, f"erasure|{erasure_id}")
        try:
            return self._known_master().cipher.decrypt(stored[:NONCE], stored[NONCE:], bound).decode()
        except InvalidTag:
            raise WrongMasterKey from None

    def unknown(self, states: Iterable[bytes]) -> list[str]:
        """The ids of the keys that must be learned before these stored facts can be opened."""
        old, ids = time.monotonic() - RELEARN, named(states)
        self._wanted = len(ids)
        missing = []
        for key_id in ids:
            known = self._keys.get(key_id)
            if known is None or known[0] < old:
                missing.append(key_id)
            else:
                self._keys.move_to_end(key_id)  # wanted now, so not the one to be let go
        return missing

    def learned(self, rows: Iterable[tuple[str, UUID, bytes | None]]) -> None:
        """Keys as stored: organization_id, key_id, wrapped_key."""
        self.keep(self.unwrapped(*row) for row in rows)

    def keep(self, keys: Iterable[DataKey]) -> None:
        now = time.monotonic()
        for key in keys:
            self._keys[key.id] = (now, key)
            self._keys.move_to_end(key.id)
        while len(self._keys) > max(MOST, 2 * self._wanted):
            self._keys.popitem(last=False)

    def key(self, key_id: str) -> DataKey:
        """Raises NotLearned."""
        known = self._keys.get(key_id)
        if known is None:
            raise NotLearned(key_id)
        return known[1]

    def forget(self, organization_id: str) -> None:
        """Have an organisation's keys learned anew before they are next used. What is being opened now goes on."""
        for key_id, (_, key) in self._keys.items():
            if key.organization_id == organization_id:
                self._keys[key_id] = (0.0, key)

    def _known_master(self) -> "_Master":
        if self._master is None:
            self._master = _Master(self._secret())
        return self._master


class _Master:
    """What is derived from the master key's text: each use has a key of its own."""

    def __init__(self, secret: str) -> None:
        self.cipher = AESGCM(_derived(secret, b"activities: data keys"))
        self.fingerprint = _derived(secret, b"activities: fingerprint").hex()[:32]
        self._outsiders = _derived(secret, b"activities: outsiders")

    def pseudonym(self, text: str) -> UUID:
        mac = hmac.HMAC(self._outsiders, hashes.SHA256())
        mac.update(text.encode())
        return UUID(bytes=mac.finalize()[:16])


def _derived(secret: str, use: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, use).derive(secret.encode())


def _bound(organization_id: str, key_id: str) -> bytes:
    return f"{organization_id}|{key_id}".encode()


_settings: Settings | None = None


def use(settings: Settings) -> None:
    """Take the master key from these settings; the environment's, where nobody says otherwise."""
    global _settings
    _settings = settings


def sealed_otherwise(dsn: str) -> bool:
    """Whether personal data in this database are sealed under another master key than these settings'."""
    with psycopg.connect(dsn) as connection:
        if connection.execute("select to_regclass('activities.master_key')").fetchone() == (None,):
            return False
        known = connection.execute(FINGERPRINT).fetchone()
    return known is not None and known[0] != RING.fingerprint


def settings() -> Settings:
    """Where the master key is taken from: for a process that is to help this one."""
    return _settings or Settings()


def _secret_of_settings() -> str:
    return settings().encryption_secret()


RING = KeyRing(_secret_of_settings)
"""The process's ring."""
