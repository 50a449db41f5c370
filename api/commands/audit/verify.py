#!/usr/bin/env python3
"""Verify an audit bundle offline: are these the events that were signed?

    python3 verify.py [BUNDLE] --key VERIFIER_KEY [--known CHECKPOINT_FILE] [--receipt RECEIPT] [--receipts FILE]

BUNDLE is the directory or .zip that `activities audit export` wrote; by default the directory of this file. Have the
verifier key from somebody you trust, never from the bundle: it says whose log it must be and who signs it.
--known is a checkpoint you kept from before: the log must have grown from it. --receipt (any number of times), or
--receipts with one a line: what commands were answered with (`Audit-Receipt`).

Exit code 0: they are. 1: they are not; the first event at fault is named. 2: it cannot be told, and why.

One file: Python 3.8 or later and its standard library, no network, no code of the service that is audited.
Sources: RFC 9162 (trees), RFC 8032 (Ed25519), C2SP signed-note and tlog-checkpoint.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Iterator  # noqa: UP035  Python 3.8

FORMAT = "activities-audit-bundle/1"
TAG = b"activities/leaf/v1"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
FIELDS = ["position", "stream", "version", "type", "recorded_at", "metadata"]
RECEIPT = re.compile(r"([1-9]\d*)(?:-([1-9]\d*))?:([0-9a-f]{64})")


class Tampered(Exception):
    """Exit code 1. `position` is the first event at fault, as far as it can be told."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"event {position}: {reason}")


class Unusable(Exception):
    """Exit code 2."""


# Ed25519 (RFC 8032, section 5.1). Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(p: Any, q: Any) -> Any:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, point: Any) -> Any:
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point, scalar = add(point, point), scalar >> 1
    return product


def point_of(data: bytes) -> Any:
    """Raises ValueError where the bytes are no point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    base = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    try:
        a, r = point_of(public), point_of(signature[:32])
    except ValueError:
        return False
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or len(public) != 32 or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, base), add(r, times(k, a))
    same = [(left[axis] * right[2] - right[axis] * left[2]) % P == 0 for axis in (0, 1)]
    return all(same)


class Key:
    """A verifier key: <origin>+<key id>+<key>."""

    def __init__(self, text: str) -> None:
        try:
            self.origin, key_id, key = text.strip().split("+", 2)
            self.id, data = bytes.fromhex(key_id), base64.b64decode(key, validate=True)
        except ValueError:
            raise Unusable("the verifier key must be <origin>+<key id>+<key>") from None
        if data[:1] != b"\x01" or len(data) != 33:
            raise Unusable("the verifier key is no Ed25519 key")
        if self.id != hashlib.sha256(self.origin.encode() + b"\n" + data).digest()[:4]:
            raise Unusable("the verifier key is damaged: its id is not that of its name and key")
        self.public = data[1:]


def checkpoint(note: str, key: Key) -> tuple[int, bytes]:
    """The size and root a signed note says. Raises ValueError where it is none by this key of this origin."""
    text, _, signatures = note.partition("\n\n")
    lines = text.split("\n")
    if lines[0] != key.origin:
        raise ValueError(f"the checkpoint is of {lines[0]}, not of {key.origin}")
    for line in signatures.split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, signature = rest.partition(" ")
        if dash == "\u2014" and name == key.origin:
            data = base64.b64decode(signature, validate=True)
            if data[:4] == key.id:
                if not signed_by(key.public, data[4:], text.encode() + b"\n"):
                    raise ValueError("the signature of the checkpoint is not right")
                root = base64.b64decode(lines[2], validate=True)
                return int(lines[1]), root
    raise ValueError("the checkpoint is not signed by the verifier key")


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(start: int, end: int, cut: int = 0) -> list[int]:
    """The widths of the perfect subtrees that the leaves from start up to end fall into, none across the cut."""
    if start < cut < end:
        return subtrees(start, cut) + subtrees(cut, end)
    widths = []
    while start < end:
        width = 1 << ((end - start).bit_length() - 1)
        width = min(width, start & -start) if start else width
        widths.append(width)
        start += width
    return widths


class Tree:
    """Grows to the right, and remembers no more than the roots of its perfect subtrees (RFC 9162, section 2.1)."""

    def __init__(self) -> None:
        self.size = 0
        self.hashes: list[bytes] = []

    def push(self, found: bytes, width: int = 1) -> None:
        size = self.size
        self.size += width
        while size & width:
            found = node(self.hashes.pop(), found)
            width <<= 1
        self.hashes.append(found)

    def root(self) -> bytes:
        found = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            found = node(left, found)
        return found


def leaf_of(event: dict[str, Any], prefix: bytes) -> bytes:
    """The leaf: a digest of every field, each preceded by its length. Raises ValueError, TypeError, AttributeError."""
    *fields_but_state, last = event
    if fields_but_state != FIELDS or last not in ("state", "state_base64"):
        raise ValueError("other fields than an event has")
    metadata = event["metadata"]
    state = event["state"].encode() if last == "state" else base64.b64decode(event["state_base64"], validate=True)
    if INSTANT.fullmatch(event["recorded_at"]) is None or type(event["version"]) is not int:
        raise ValueError("an instant has six decimals and ends in Z, a version is whole")
    fields = [b"%d" % event["position"], event["stream"].encode(), b"%d" % event["version"], event["type"].encode()]
    fields += [event["recorded_at"].encode(), b"%d" % len(metadata)]
    for key, value in sorted((key.encode(), value.encode()) for key, value in metadata.items()):
        fields += (key, value)
    fields.append(state)
    return hashlib.sha256(prefix + b"".join([len(f).to_bytes(4, "big") + f for f in fields])).digest()


def redacted_leaf(event: dict[str, Any]) -> bytes:
    """The leaf a redacted event had. It has no content, lest somebody believed it."""
    leaf = bytes.fromhex(event["leaf"])
    if list(event) != ["position", "redacted", "leaf"] or event["redacted"] is not True or len(leaf) != 32:
        raise ValueError("it is said to be redacted, and has content")
    return leaf


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that says nothing twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


class Bundle:
    """The files of a bundle: a directory, or a .zip of one."""

    def __init__(self, path: Path) -> None:
        self.directory = path
        try:
            self.zip = None if path.is_dir() else zipfile.ZipFile(path)
            self.names = {one.name for one in path.iterdir()} if self.zip is None else set(self.zip.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise Unusable(f"{path} is no bundle: {error}") from None

    def open(self, name: str) -> Any:
        if name not in self.names:
            raise Unusable(f"the bundle has no {name}")
        return (self.directory / name).open("rb") if self.zip is None else self.zip.open(name)

    def text(self, name: str) -> str:
        with self.open(name) as file:
            return str(file.read().decode())


class Receipts:
    """What was promised to those who commanded, checked as the leaves go by."""

    def __init__(self, texts: list[str]) -> None:
        self.promised: dict[int, list[tuple[int, str]]] = {}
        self.open: list[tuple[int, int, str, Tree]] = []
        self.kept = 0
        for text in filter(None, (text.strip() for text in texts)):
            found = RECEIPT.fullmatch(text)
            if found is None:
                raise Unusable(f"{text!r} is no receipt")
            first = int(found[1])
            self.promised.setdefault(first, []).append((int(found[2] or first), found[3]))

    def see(self, position: int, leaf: bytes) -> None:
        if position in self.promised:
            self.open += [(position, last, root, Tree()) for last, root in self.promised.pop(position)]
        for first, last, root, tree in self.open:
            tree.push(leaf)
            if position == last and tree.root().hex() != root:
                raise Tampered(first, f"the receipt of events {first} to {last} promised another")
            self.kept += position == last
        self.open = [one for one in self.open if one[1] > position]

    def unseen(self) -> int:
        return sum(map(len, self.promised.values())) + len(self.open)


class Verification:
    def __init__(self, bundle: Bundle, key: Key, receipts: Receipts, known: tuple[int, bytes] | None) -> None:
        self.bundle, self.key, self.receipts, self.known = bundle, key, receipts, known
        self.manifest, self.tree = json.loads(bundle.text("manifest.json")), Tree()
        self.redacted: list[int] = []
        self.roots: dict[int, bytes] = {}
        if self.manifest.get("format") != FORMAT:
            raise Unusable(f"the bundle is not of the format {FORMAT}")
        self.first, self.last = int(self.manifest["first"]), int(self.manifest["last"])
        try:
            self.size, self.root = checkpoint(bundle.text("checkpoint.txt"), key)
        except ValueError as error:
            raise Tampered(self.first, str(error)) from None
        if not 1 <= self.first <= self.last <= self.size:
            raise Tampered(self.size + 1, f"the checkpoint has {self.size} events, the bundle says {self.last}")
        if known and known[0] > self.size:
            why = f"the checkpoint you hold has {known[0]} events, this one {self.size}: rolled back, or an old one"
            raise Tampered(self.size + 1, why)
        earlier = {int(note.split("\n")[1]): note for note in json.loads(bundle.text("earlier.json"))}
        self.marks = {**({known[0]: ""} if known else {}), **earlier}

    def run(self) -> str:
        """What was verified. Raises Tampered, Unusable."""
        self._given("before", 0, self.first - 1)
        with self.bundle.open("events.ndjson") as events, self.bundle.open("leaves.bin") as leaves:
            for position, leaf in self._leaves(events, leaves):
                self._push(leaf)
                self.receipts.see(position, leaf)
        self._given("after", self.last, self.size)
        if self.tree.root() != self.root:
            raise self._somewhere()
        if self.known and self.known[0] not in self.roots:
            raise Unusable(f"no proof from your checkpoint of {self.known[0]} events: export with --known, or from 1")
        if self.known and self.known[1] != self.roots[self.known[0]]:
            raise Tampered(1, f"it or one after it, up to {self.known[0]}, is not what the checkpoint you hold says")
        return self._told()

    def _push(self, found: bytes, width: int = 1) -> None:
        """Earlier checkpoints tell where a wrong tree goes wrong: their roots are noted on the way."""
        self.tree.push(found, width)
        if self.tree.size in self.marks:
            self.roots[self.tree.size] = self.tree.root()

    def _given(self, name: str, start: int, end: int) -> None:
        """What is not in the bundle, as the roots of its subtrees."""
        widths, hashes = subtrees(start, end, self.manifest["cut"]), self.manifest[name]
        if len(widths) != len(hashes):
            raise Unusable(f"the manifest does not have the hashes of what comes {name}")
        for at, width in enumerate(widths):
            self._push(bytes.fromhex(hashes[at]), width)

    def _leaves(self, events: BinaryIO, leaves: BinaryIO) -> Iterator[tuple[int, bytes]]:
        who = self.manifest["organization"].encode()
        prefix = b"\x00" + b"".join(len(field).to_bytes(4, "big") + field for field in (TAG, who))
        before, expected = "", self.first
        for line in events:
            try:
                event = json.loads(line, object_pairs_hook=unique)
                position, redacted = event["position"], "redacted" in event
                if position == expected:
                    leaf = redacted_leaf(event) if redacted else leaf_of(event, prefix)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise Tampered(expected, f"it cannot be read: {error}") from None
            if position != expected or expected > self.last:
                raise Tampered(expected, f"it is missing or not in its place: event {position} is there")
            if not redacted and event["recorded_at"] < before:
                raise Tampered(expected, "it was recorded before the one before it")
            if leaves.read(32) != leaf:
                raise Tampered(expected, "it is not what it was when the tree took it in")
            before = before if redacted else event["recorded_at"]
            self.redacted += [position] if redacted else []
            yield position, leaf
            expected += 1
        if expected <= self.last:
            raise Tampered(expected, "it is missing")

    def _somewhere(self) -> Tampered:
        """The tree is not the one that was signed: between which checkpoints did it part?"""
        agreed = self.first - 1
        for size, root in sorted(self.roots.items()):
            try:
                signed = checkpoint(self.marks[size], self.key)
            except ValueError:
                continue
            if signed[1] != root:
                return Tampered(agreed + 1, f"it or one after it, up to {size}, is not what was signed")
            agreed = max(agreed, size)
        return Tampered(agreed + 1, f"it or one after it, up to {self.size}, is not what was signed")

    def _told(self) -> str:
        said = f"ok: events {self.first} to {self.last} of {self.key.origin} are what was signed ({self.size} events)"
        if self.known:
            said += f"\nok: the log has grown from the checkpoint you hold ({self.known[0]} events)"
        if self.receipts.kept:
            said += f"\nok: {self.receipts.kept} receipts are kept"
        if self.receipts.unseen():
            said += f"\nnot verified: {self.receipts.unseen()} receipts of events that are not in the bundle"
        if self.redacted:
            said += f"\nredacted: {len(self.redacted)} events without content: {', '.join(map(str, self.redacted))}"
        return said


def verified(arguments: argparse.Namespace) -> str:
    key = Key(arguments.key)
    receipts = list(arguments.receipt)
    if arguments.receipts:
        receipts += Path(arguments.receipts).read_text(encoding="utf-8").splitlines()
    known = None
    if arguments.known:
        try:
            known = checkpoint(Path(arguments.known).read_text(encoding="utf-8"), key)
        except ValueError as error:
            raise Unusable(f"{arguments.known}: {error}") from None
    return Verification(Bundle(Path(arguments.bundle)), key, Receipts(receipts), known).run()


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify an audit bundle offline.")
    parser.add_argument("bundle", nargs="?", default=Path(__file__).resolve().parent)
    parser.add_argument("--key", required=True, help="the verifier key, from somebody you trust")
    parser.add_argument("--known", help="a file with a checkpoint you kept from before")
    parser.add_argument("--receipt", action="append", default=[], help="what a command was answered with")
    parser.add_argument("--receipts", help="a file with receipts, one a line")
    try:
        print(verified(parser.parse_args()))
    except Tampered as tampered:
        print(f"TAMPERED {tampered}")
        return 1
    except (Unusable, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        print(f"unusable: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
