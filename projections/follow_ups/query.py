"""The question follow-ups answer: which obligations are open (or kept), the oldest first."""

from typing import Literal

from projections.paging import Listing, Sort
from projections.resource import WITH_NAMES, added_sql

READ_MODELS = ("follow_ups", "activity_list", "directory")
State = Literal["open", "satisfied", "all"]

_OF = """follow_ups f
  left join lateral (
    select g.activity_id from (
      (select g.activity_id, g.number from follow_ups g
        where g.organization_id = f.organization_id and g.related_key = f.related_key and g.number > f.opened
        order by g.number limit 1)
      union all
      (select g.activity_id, g.number from follow_ups g
        where g.organization_id = f.organization_id and g.follow_up_of = f.activity_id
        order by g.number limit 1)
    ) g order by g.number limit 1
  ) kept on true"""
_STATES = {"open": ["kept.activity_id is null"], "satisfied": ["kept.activity_id is not null"], "all": []}
_NAMES = " join activity_list l on l.organization_id = k.organization_id and l.activity_id = k.activity_id"


def follow_ups(organization_id: str, *, state: State = "open", includes: frozenset[str] = frozenset()) -> Listing:
    """The activities that opened an obligation to follow up."""
    return Listing(
        read_models=READ_MODELS,
        of=_OF,
        key="f.activity_id",
        columns="f.organization_id, f.activity_id, f.due_on, kept.activity_id as kept_by",
        where=["f.organization_id = %(organization_id)s", "f.opened is not null", *_STATES[state]],
        parameters={"organization_id": organization_id},
        sort=Sort("due_on", "f.due_on", "date", nullable=True),
        shown="l.document",
        added=added_sql(includes),
        page_alias="k",
        with_names=_NAMES + WITH_NAMES,
        extras=("k.due_on", "k.kept_by"),
        identity={"state": state},
    )
