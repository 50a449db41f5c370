"""The activities of accounts: those about an account, and those about a record that names its account.

Rows are the activity's own document, and beside it what an account's view adds: see COLUMNS.
"""

from typing import Any
from uuid import UUID

from projections.filters import ActivityFilter
from projections.paging import Listing, Sort
from projections.reading import Question

READ_MODELS = ("activity_list", "directory")

COLUMNS = (
    "l.number",
    """coalesce(account.id, case when l.related_type = 'account' then l.related_id
        else related.document::json ->> 'account_id' end)""",
    "account.name",
    "l.created_by",
    "creator.name",
    "creator.email",
)
"""Number; id and name of the account; id, name and email of the creator."""

_WITH_NAMES = """
  left join directory related
    on related.organization_id = l.organization_id and related.record_key = l.related_key
  left join directory account
    on account.organization_id = l.organization_id
   and account.record_key =
       case when l.related_type = 'account' then l.related_key else related.account_key end
  left join directory creator
    on creator.organization_id = l.organization_id and creator.record_key = l.creator_key
"""

_OF_SOME_ACCOUNT = """(l.related_type = 'account' or exists (
    select from directory d
     where d.organization_id = l.organization_id and d.record_key = l.related_key
       and d.account_key is not null))"""

_TIMESTAMP = "case when l.status = 'completed' then l.completed_at else l.due_at end"

_ONE = f"""
select l.document, {", ".join(COLUMNS)}, l.version
  from activity_list l {_WITH_NAMES}
 where l.organization_id = %(organization_id)s and {{which}} and l.deleted_at is null
   and (l.related_type = 'account' or related.account_key is not null)
"""


def activities_of_accounts(organization_id: str, filters: ActivityFilter) -> Listing:
    """The activities of one account, or of all, the latest first: what is to come, then what has been."""
    of_accounts = [] if filters.account is not None else [_OF_SOME_ACCOUNT]
    return Listing(
        read_models=READ_MODELS,
        of="activity_list l",
        key="l.activity_id",
        where=[
            "l.organization_id = %(organization_id)s",
            "l.deleted_at is null",
            *of_accounts,
            *filters.conditions(),
        ],
        parameters={"organization_id": organization_id, **filters.parameters()},
        sort=Sort("timestamp", _TIMESTAMP, "timestamptz", nullable=True, descending=True),
        shown="l.document",
        with_names=_WITH_NAMES,
        extras=COLUMNS,
        identity=filters.parameters(),
    )


def activity_of_an_account(organization_id: str, which: UUID | int) -> Question:
    """The activity with an id or a number, with its version; no row where it belongs to no account."""
    column = "l.number" if isinstance(which, int) else "l.activity_id"
    parameters: dict[str, Any] = {"organization_id": organization_id, "which": which}
    return Question(READ_MODELS, _ONE.format(which=f"{column} = %(which)s"), parameters)
