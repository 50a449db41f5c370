"""The receipt of a key's making, found again. Of these answers none is kept, as they say the key's text."""

from collections.abc import Iterable
from typing import Any

from application.proof.leaf import Leaves, instant
from application.proof.receipts import receipt_of

MADE = """
select position, originator_id, originator_version, topic, recorded_at, metadata, state
  from events
 where organization_id = %(organization_id)s and originator_id = %(key)s and originator_version = 1
"""
"""SQL of the row it is the receipt of."""


def receipt_again(organization_id: str, rows: Iterable[tuple[Any, ...]]) -> str | None:
    """What the making was answered with. None where it cannot be read yet, as from a replica that lags."""
    for position, key, version, topic, recorded_at, metadata, state in rows:
        leaves = Leaves(organization_id)
        return receipt_of(position, [leaves.of(position, key, version, topic, instant(recorded_at), metadata, state)])
    return None
