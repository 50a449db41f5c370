"""Who asks and who commands here: the same as on surface S, but all three headers are required."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from api.http.commanding import Commanding, Commands
from api.http.identity import accounts_caller_of
from api.http.problems import Problem
from api.http.reading import Asking, Asks
from application.activity.commands import key_or_none
from application.ulids import ulid_of
from domain.refusals import Unknown
from projections.activity_list.query import numbered

_ULID = 26
_BIGGEST = 2**63

Reads = Annotated[Asking, Depends(Asks("activities:read", accounts_caller_of))]
Writes = Annotated[Commanding, Depends(Commands("activities:write", accounts_caller_of))]
GivenId = Annotated[str, Path(alias="activityId", description="The numeric id, or the ULID in either case")]


def which(activity_id: str) -> UUID | int:
    """An activity's key or its number. Raises Unknown for what can be neither."""
    if len(activity_id) == _ULID and (key := key_or_none(activity_id)) is not None:
        return key
    digits = activity_id.isascii() and activity_id.isdigit() and len(activity_id) < _ULID
    if digits and (number := int(activity_id)) < _BIGGEST:
        return number
    raise Unknown("Activity")


async def _uid(activity_id: GivenId, commands: Writes, request: Request) -> str:
    """The activity's ULID. A number never changes hands, so it may be looked up before the decision."""
    wanted = which(activity_id)
    if isinstance(wanted, UUID):
        return activity_id.upper()
    ask = Asking(commands.caller, request.app.state.reader, request)
    found = await ask.ask(numbered(ask.organization_id, wanted))
    if not found.rows and found.behind:
        raise Problem("unavailable", "The read tables have not caught up yet", headers={"Retry-After": "1"})
    if not found.rows:
        raise Unknown("Activity")
    return ulid_of(found.rows[0][0])


ActivityId = Annotated[str, Depends(_uid)]
