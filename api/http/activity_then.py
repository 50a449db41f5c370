"""One activity in full, as of another time."""

import asyncio
from datetime import datetime
from uuid import UUID

from starlette.responses import Response

from api.http.envelope import enveloped, etag, ok
from api.http.reading import Asking
from application.history.activity_then import Then, question_of, then
from application.history.chronicle import STREAMS, latest
from application.history.moments import Moment, Version, When
from application.streams import Streams, keys_around
from domain.activity.activity import Activity
from domain.refusals import Unknown
from projections.reading import Question
from projections.resource import resource

_ALL = 2**63 - 1


async def activity_then(ask: Asking, key: UUID, when: When) -> Response:
    """The activity as the service would have shown it then. Raises Unknown where it would have shown nothing.

    Activities deleted by now are for auditors. By what had happened, related records are named as they were known.
    """
    found = await ask.ask(Question((), *question_of(ask.organization_id, key, when.known)))
    was = await asyncio.to_thread(then, found.rows, when.happened)
    activity = was.state
    if not isinstance(activity, Activity) or activity.deleted_at is not None:
        raise Unknown("Activity")
    if was.deleted_now and "audit:read" not in ask.caller.scopes:
        raise Unknown("Activity")
    if isinstance(when.known, Version) and when.happened is None and was.version < when.known.number:
        raise Unknown("Activity")
    records = await _records_around(activity, ask, _known(when, was))
    now = when.happened or (when.known if isinstance(when.known, datetime) else was.recorded_at)
    assert now is not None  # there were facts
    body = enveloped("Activity retrieved successfully", resource(activity, records.record, now))
    return ok(body, {"ETag": etag(activity.version, body)})


def _known(when: When, was: Then) -> Moment | int:
    """Up to where records are known: an instant, or a position."""
    if isinstance(when.known, Version):
        return was.position
    if when.known is None:
        return _ALL
    return when.known if isinstance(when.known, datetime) else when.known.number


async def _records_around(activity: Activity, ask: Asking, known: Moment | int) -> Streams:
    """The records the activity refers to, as they were known then."""
    wanted = {"organization_id": ask.organization_id, "keys": list(keys_around(activity))}
    bounds = {"upto": _ALL, "until": known} if isinstance(known, datetime) else {"upto": known, "until": None}
    found = await ask.ask(Question((), STREAMS, wanted | bounds))
    return Streams(latest(found.rows))
