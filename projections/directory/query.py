"""The questions the directory answers: the records of a kind, and one record."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from application.event_store.mapper import record_key
from domain.vocabulary import RecordKind
from projections.gathering import PointQuestion
from projections.paging import Listing, Sort
from projections.reading import Question

READ_MODELS = ("directory",)

SORTS = {
    "created_at": ("r.created_at", "timestamptz"),
    "name": ("r.name", "text"),
}


def records(
    organization_id: str,
    kind: RecordKind,
    *,
    search: str | None = None,
    account_id: str | None = None,
    sort_by: str = "created_at",
    descending: bool = False,
) -> Listing:
    where = ["r.organization_id = %(organization_id)s", "r.kind = %(kind)s"]
    parameters: dict[str, Any] = {"organization_id": organization_id, "kind": kind.value}
    if search is not None:
        where.append("(strpos(lower(r.name), %(search)s) > 0 or strpos(lower(r.email), %(search)s) > 0)")
        parameters["search"] = search.lower()
    if account_id is not None:
        where.append("r.account_key = %(account)s")
        parameters["account"] = record_key(RecordKind.ACCOUNT, account_id)
    column, type_ = SORTS[sort_by]
    return Listing(
        read_models=READ_MODELS,
        of="directory r",
        key="r.record_key",
        columns="r.document",
        where=where,
        parameters=parameters,
        sort=Sort(sort_by, column, type_, descending=descending),
        shown="l.document",
        identity=parameters,
    )


RECORD = PointQuestion(
    READ_MODELS,
    """
select record_key, document, version from directory
 where organization_id = %(organization_id)s and record_key = any(%(keys)s)
""",
)
"""One record in full, with its version; no row where there is none."""

_NAMES = """
select record_key, name from directory
 where organization_id = %(organization_id)s and record_key = any(%(keys)s)
"""


def names(organization_id: str, keys: Sequence[UUID]) -> Question:
    """The names of these records, by key."""
    return Question(READ_MODELS, _NAMES, {"organization_id": organization_id, "keys": list(keys)})
