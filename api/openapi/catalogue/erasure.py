"""Erasing the personal data of one person."""

from api.openapi.catalogue.answering import Json, enveloped
from api.openapi.examples.records import IDS
from api.openapi.shapes.erasure import ErasureAnswer
from api.openapi.told import Answer, Examples, Told
from domain.personal_data import PERSONS
from domain.vocabulary import RecordKind

_BODIES: Examples = {
    "at_their_request": {"basis": "consent_withdrawn", "reference": "case 4711"},
    "only_to_see": {"basis": "no_longer_needed", "dry_run": True},
}
_DONE: Json = {
    "erasure_id": "01KCTZ7D2M4N6P8Q0R2S4T6V8W",
    "basis": "consent_withdrawn",
    "reference": "case 4711",
    "activities": 12,
    "in_plain": 0,
    "dry_run": False,
    "already": False,
}


def _answer(kind: str, id: str | None) -> dict[int, Answer]:
    said = _DONE | {"kind": kind, "id": id}
    return {200: Answer(ErasureAnswer, {"erased": enveloped("Erased successfully", said)}, "What was erased")}


def _told(kind: RecordKind) -> Told:
    return Told(
        f"Erase a {kind} for good",
        _answer(kind, IDS[kind]),
        _BODIES,
        description=f"Destroy the key the {kind}'s personal data are sealed with, and blank the record, every activity "
        "that is with them and every mention of them as a participant. Dates, status and ids stay. The record is "
        "closed for good; nothing personal can be recorded of them anew. Cut off it goes on by itself; asked for "
        "again it says that it is done. It cannot be undone.",
    )


ERASURE = {f"erase_{kind}": _told(kind) for kind in RecordKind if kind in PERSONS} | {
    "erase_participant": Told(
        "Erase an outsider for good",
        _answer("external", None),
        {name: {"email": "kim@partner.example", **body} for name, body in _BODIES.items()},
        description="Destroy the key that the name and the address of an outsider are sealed with: whoever took part "
        "in activities as `external` under this address. Nothing is kept to know them by.",
    )
}
