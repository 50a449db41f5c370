"""Facts to stored bytes and back, where something in them is personal.

A stored fact with personal fields begins with its boxes, then goes on as plain JSON without these fields:

    {"sealed":[{"key":"<id>","of":"<stream>.<version>","fields":"subject outcome","box":"<base64>"}],"at":...}

A box is AES-256-GCM over the JSON of its fields, nonce first, bound to organisation, stream, version and the names of
its fields. A box with `person` holds what names the participant at that place; one with `in` holds members of that
object, which may have nulls in their places. This is a contract for ever.

A box whose key is destroyed opens to blanks.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from pydantic_core import to_json

from application.event_store.keyring import NONCE, SEALED, DataKey
from domain.activity.blanks import BLANKS, ERASED
from domain.activity.events import Fact
from domain.api_key.events import ApiKeyFact
from domain.erasure.events import ErasureFact
from domain.oversight.events import OversightFact
from domain.record.events import RecordCreated, RecordFact, RecordUpdated

AnyFact = Fact | RecordFact | ApiKeyFact | OversightFact | ErasureFact
_NAMING = {"name", "email"}


class Tampered(Exception):
    """A box is not what was sealed at this place."""


@dataclass(frozen=True, slots=True)
class Personal:
    """What is personal in a fact, and whose: the fields under one key, participants each under their own."""

    fields: Sequence[str] = ()
    key: DataKey | None = None
    people: Mapping[int, DataKey] = field(default_factory=dict)


def sealed(fact: Any, personal: Personal, stream: UUID, version: int, *, in_order: bool = False) -> bytes:
    """The bytes to store. `in_order` has a record's fields open in the order they had, for tables folded before."""
    of = f"{stream.hex}.{version}"
    boxes: list[str] = []
    if isinstance(fact, RecordCreated | RecordUpdated):
        said = {name: fact.fields[name] for name in personal.fields}
        rest = {name: value for name, value in fact.fields.items() if name not in said}
        if in_order:
            rest = {name: rest.get(name) for name in fact.fields}
        plain = fact.model_copy(update={"fields": rest}).model_dump_json(exclude_unset=True)
        boxes.append(_box(personal.key, of, personal.fields, to_json(said), "in", "fields"))
        return _with(boxes, plain)
    left_out: dict[str, Any] = dict.fromkeys(personal.fields, True)
    if personal.people:
        left_out["participants"] = dict.fromkeys(personal.people, _NAMING)
    plain = fact.model_dump_json(exclude_unset=True, exclude=left_out)
    if personal.fields:
        texts = fact.__dict__
        boxes.append(_box(personal.key, of, personal.fields, to_json({name: texts[name] for name in personal.fields})))
    for place, key in personal.people.items():
        naming = fact.participants[place].model_dump_json(include=_NAMING, exclude_none=True).encode()
        boxes.append(_box(key, of, (), naming, "person", place))
    return _with(boxes, plain)


def _with(boxes: list[str], plain: str) -> bytes:
    return f"{SEALED.decode()}{','.join(boxes)}],{plain[1:]}".encode()


def _box(
    key: DataKey | None, of: str, fields: Sequence[str], said: bytes, where: str = "", place: str | int = ""
) -> str:
    assert key is not None  # what is personal is somebody's
    assert key.cipher is not None  # nothing is sealed under a key that is destroyed
    names, nonce = " ".join(fields), os.urandom(NONCE)
    box = nonce + key.cipher.encrypt(nonce, said, _bound(key.organization_id, of, names, str(place)))
    what = f',"{where}":{json.dumps(place)}' if where else ""
    return f'{{"key":"{key.id}","of":"{of}","fields":"{names}"{what},"box":"{base64.b64encode(box).decode()}"}}'


def opened(state: bytes, key_of: Callable[[str], DataKey], *, place: str | None = None) -> bytes:
    """The fact's plain JSON. `place` is where the row stands (stream.version), where that is known.

    Raises Tampered where a box was not sealed there, and what `key_of` raises.
    """
    if not state.startswith(SEALED):
        return state
    end = state.index(b"]")
    boxes = orjson.loads(state[len(SEALED) - 1 : end + 1])
    rest = state[end + 2 :]
    if place is not None and any(box["of"] != place for box in boxes):
        raise Tampered
    nested = []
    for box in boxes:
        said = _opened(box, key_of(box["key"]), rest)
        if "in" in box or "person" in box:
            nested.append((box, said))
        elif len(said) > 2:
            rest = said[1:-1] + b"," + rest
    plain = b"{" + rest
    return _put_back(plain, nested) if nested else plain


def _opened(box: dict[str, Any], key: DataKey, rest: bytes) -> bytes:
    if key.cipher is None:
        return _blank(box, rest)
    stored = base64.b64decode(box["box"])
    place = str(box.get("person", box.get("in", "")))
    bound = _bound(key.organization_id, box["of"], box["fields"], place)
    try:
        return key.cipher.decrypt(stored[:NONCE], stored[NONCE:], bound)
    except InvalidTag:
        raise Tampered from None


def _blank(box: dict[str, Any], rest: bytes) -> bytes:
    """What is left of a box nobody can open any more."""
    if "person" in box:
        return b"{}"
    names = box["fields"].split()
    if "in" in box:
        return to_json({name: ERASED if name == "name" else None for name in names})
    return to_json({name: BLANKS[name] for name in names})


def _put_back(plain: bytes, nested: list[tuple[dict[str, Any], bytes]]) -> bytes:
    fact = json.loads(plain)
    for box, said in nested:
        if "person" in box:
            fact["participants"][box["person"]].update(json.loads(said))
            continue
        members = fact[box["in"]]
        for name, value in json.loads(said).items():
            if value is None:
                members.pop(name, None)
            else:
                members[name] = value
    return to_json(fact)


def _bound(organization_id: str, of: str, names: str, place: str) -> bytes:
    return f"{organization_id}|{of}|{names}|{place}".encode()
