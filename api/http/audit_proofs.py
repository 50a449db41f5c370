"""For auditors: the signed checkpoint, the key it is signed with, and proofs that lead to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from api.http.envelope import enveloped, ok
from api.http.problems import Problem
from api.http.reading import Asking, Asks
from api.http.strict_route import StrictRoute
from application.proof.merkle import Node, consistency, inclusion, root
from application.proof.notes import VerifierKey, origin_of
from application.proof.tiles import Missing, node_of, wanted_by
from domain.refusals import Invalid
from projections.audit_tree.query import checkpoint, signer, tiles
from projections.audit_tree.tiles import found
from projections.resource import to_json

router = APIRouter(route_class=StrictRoute, tags=["audit"], prefix="/audit")
T = TypeVar("T")
Reads = Annotated[Asking, Depends(Asks("audit:read"))]


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 18):
        raise ValueError("must be a whole number")
    return value


Position = Annotated[int, Field(ge=1, le=10**17 - 1), BeforeValidator(_whole)]


class InclusionParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    position: Position


class ConsistencyParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: Annotated[Position, Field(alias="from")]
    to: Position | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """The latest checkpoint of an organisation."""

    size: int
    root: bytes
    note: str
    signed_at: datetime
    head: int
    alarm: dict[str, Any] | None


@router.get("/checkpoint", name="get_audit_checkpoint")
async def get_checkpoint(ask: Reads) -> Response:
    """The latest signed statement of what the log is. Keep it where nobody who runs this service can change it.

    `note` is a C2SP checkpoint: origin, size and root of the tree over all events, signed (Ed25519).
    """
    signed = await _signed(ask)
    told = {
        "size": signed.size,
        "root": signed.root.hex(),
        "note": signed.note,
        "signed_at": signed.signed_at,
        "unsigned": max(signed.head - signed.size, 0),
        "alarm": signed.alarm,
    }
    return ok(enveloped("Checkpoint retrieved successfully", to_json(told)))


@router.get("/key", name="get_audit_key")
async def get_key(ask: Reads) -> Response:
    """The key checkpoints are signed with. Compare its fingerprint with what you were given by another way."""
    rows = (await ask.ask(signer())).rows
    if not rows:
        raise Problem("not_found", "No signer was ever at work here")
    [(name, public)] = rows
    key = VerifierKey(origin_of(name, ask.organization_id), bytes(public))
    told = {
        "origin": key.origin,
        "verifier_key": str(key),
        "public_key": key.public.hex(),
        "fingerprint": key.fingerprint,
    }
    return ok(enveloped("Audit key retrieved successfully", to_json(told)))


@router.get("/proofs/inclusion", name="get_inclusion_proof")
async def get_inclusion(ask: Reads, wanted: Annotated[InclusionParameters, Query()]) -> Response:
    """Proof that the event at a position is in the tree of the latest checkpoint (RFC 9162, section 2.1.3)."""
    signed = await _signed(ask)
    index = wanted.position - 1
    if index >= signed.size:
        raise Problem("not_found", f"Event {wanted.position} is under no checkpoint yet")

    def proof(node: Node) -> tuple[bytes, list[bytes]]:
        return node(0, index), inclusion(index, signed.size, node)

    leaf, path = await _proved(ask, proof)
    told = {
        "position": wanted.position,
        "leaf": leaf.hex(),
        "size": signed.size,
        "root": signed.root.hex(),
        "hashes": [one.hex() for one in path],
        "note": signed.note,
    }
    return ok(enveloped("Inclusion proof retrieved successfully", to_json(told)))


@router.get("/proofs/consistency", name="get_consistency_proof")
async def get_consistency(ask: Reads, wanted: Annotated[ConsistencyParameters, Query()]) -> Response:
    """Proof that the log of `from` events is the beginning of that of `to` events (RFC 9162, section 2.1.4).

    `to` is the latest checkpoint's size unless said otherwise.
    """
    signed = await _signed(ask)
    to = wanted.to or signed.size
    if to > signed.size:
        raise Problem("not_found", f"Event {to} is under no checkpoint yet")
    if wanted.since > to:
        raise Invalid("from", f"must not be greater than {to}")

    def proof(node: Node) -> tuple[bytes, bytes, list[bytes]]:
        return root(wanted.since, node), root(to, node), consistency(wanted.since, to, node)

    before, after, path = await _proved(ask, proof)
    told = {
        "from": wanted.since,
        "to": to,
        "from_root": before.hex(),
        "to_root": after.hex(),
        "hashes": [one.hex() for one in path],
    }
    return ok(enveloped("Consistency proof retrieved successfully", to_json(told)))


async def _signed(ask: Asking) -> Signed:
    """The latest checkpoint. Raises Problem not_found where nothing is signed yet."""
    rows = (await ask.ask(checkpoint(ask.organization_id))).rows
    if not rows or rows[0][0] is None:
        raise Problem("not_found", "Nothing is signed yet: the first checkpoint comes soon after the first event")
    size, found_root, note, signed_at, head, position, reason, found_at = rows[0]
    alarm = None if position is None else {"position": position, "reason": reason, "found_at": found_at}
    return Signed(size, bytes(found_root), note, signed_at, head, alarm)


async def _proved(ask: Asking, proof: Callable[[Node], T]) -> T:
    """What a computation makes of the nodes it asks for."""
    rows = (await ask.ask(tiles(ask.organization_id, wanted_by(proof)))).rows
    try:
        return proof(node_of(found(rows)))
    except Missing as missing:
        raise Problem("unavailable", f"The tree is not whole: {missing}") from None
