"""What auditors ask: the latest checkpoint, who signs, and the proofs that go with checkpoints."""

from collections.abc import Iterable

from application.proof.tiles import Place
from projections.audit_tree.tiles import TILES, asked
from projections.reading import Question

_CHECKPOINT = """
select c.size, c.root, c.note, c.signed_at, h.position, a.position, a.reason, a.found_at
  from heads h
  left join lateral (select * from audit_checkpoints c
                      where c.organization_id = h.organization_id
                      order by c.size desc limit 1) c on true
  left join audit_alarms a on a.organization_id = h.organization_id
 where h.organization_id = %(organization_id)s
"""
_SIGNER = "select origin, public_key from audit_signer where name = 'signer'"


def checkpoint(organization_id: str) -> Question:
    """Size, root, note and instant of the latest checkpoint; the log's head; position, reason, instant of an alarm."""
    return Question((), _CHECKPOINT, {"organization_id": organization_id})


def signer() -> Question:
    """What origins begin with, and the public key; no row where no signer was ever at work."""
    return Question((), _SIGNER, {})


def tiles(organization_id: str, places: Iterable[Place]) -> Question:
    """Tiles to compute a proof with, for `found`."""
    return Question((), TILES, asked(organization_id, places))
