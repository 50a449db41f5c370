"""GET of activities: the list, search, overdue, follow-ups, and one activity in full."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.http.activity_then import activity_then
from api.http.envelope import enveloped, ok
from api.http.parameters import (
    DetailParameters,
    FollowUpParameters,
    ListParameters,
    OverdueParameters,
    SearchParameters,
)
from api.http.reading import Asking, Asks, paged
from api.http.strict_route import StrictRoute
from application.activity.commands import key_or_none
from application.ulids import ulid_of
from domain.refusals import Unknown
from domain.vocabulary import TYPE_GUIDE
from projections.activity_list.query import ACTIVITY, DEEP, activities
from projections.activity_search.query import highlighted, search, terms_of
from projections.follow_ups.query import follow_ups
from projections.overdue.query import overdue_activities
from projections.paging import Page
from projections.resource import completed, to_json

router = APIRouter(route_class=StrictRoute, tags=["activities"])
Reads = Annotated[Asking, Depends(Asks("activities:read"))]

_TYPES = enveloped(
    "Activity types retrieved successfully",
    to_json(
        [
            {"value": type_, "label": type_.label, "description": description, "use_cases": use_cases}
            for type_, (description, use_cases) in TYPE_GUIDE.items()
        ]
    ),
)


@router.get("/activity-types")
async def list_activity_types(ask: Reads) -> Response:
    """The types of activity there are, with descriptions and common use cases."""
    return ok(_TYPES)


@router.get("/activities")
async def list_activities(ask: Reads, wanted: Annotated[ListParameters, Query()]) -> Response:
    """Activities that match every filter, page by page."""
    place = wanted.place()
    listing = activities(
        ask.organization_id,
        wanted.filter(ask.caller),
        sort_by=wanted.sort_by,
        descending=wanted.sort_direction == "desc",
        includes=wanted.included(),
        deep=place.passed_over >= DEEP,
    )
    return await ask.listed(listing, place, "Activities retrieved successfully", wanted.when())


@router.get("/activities/search")
async def search_activities(ask: Reads, wanted: Annotated[SearchParameters, Query()]) -> Response:
    """Activities whose subject or description says every word of q: whole, in part, or misspelt. Best first."""
    place, terms, filters, when = wanted.place(), terms_of(wanted.q), wanted.filter(ask.caller), wanted.when()
    if not terms:
        return paged(Page([], [], None, 0, 0), place, "Nothing found", [])
    listing = search(ask.organization_id, terms, filters, includes=wanted.included())
    page = await ask.page(listing, place, when, terms)
    hits = [highlighted(item, expression) for item, (expression,) in zip(page.items, page.extras, strict=True)]
    return paged(page, place, "Activities found successfully" if hits else "Nothing found", hits)


@router.get("/activities/overdue")
async def list_overdue_activities(ask: Reads, wanted: Annotated[OverdueParameters, Query()]) -> Response:
    """Activities whose due date has passed while they are pending, in progress or waiting."""
    listing = overdue_activities(
        ask.organization_id,
        wanted.filter(ask.caller),
        sort_by=wanted.sort_by,
        descending=wanted.sort_direction == "desc",
        includes=wanted.included(),
    )
    return await ask.listed(listing, wanted.place(), "Overdue activities retrieved successfully", wanted.when())


@router.get("/activities/follow-ups")
async def list_follow_ups(ask: Reads, wanted: Annotated[FollowUpParameters, Query()]) -> Response:
    """Obligations to follow up, the oldest first: each the activity that opened it."""
    place = wanted.place()
    listing = follow_ups(ask.organization_id, state=wanted.state, includes=wanted.included())
    page = await ask.page(listing, place, wanted.when())
    items = []
    for item, (due_on, kept_by) in zip(page.items, page.extras, strict=True):
        kept = None if kept_by is None else ulid_of(kept_by)
        said = {"due_on": due_on, "state": "open" if kept is None else "satisfied", "satisfied_by_id": kept}
        items.append(f'{item[:-1]},"follow_up":{to_json(said).decode()}}}')
    return paged(page, place, "Follow-ups retrieved successfully", items)


@router.get("/activities/{activity_id}")
async def get_activity(activity_id: str, ask: Reads, wanted: Annotated[DetailParameters, Query()]) -> Response:
    """One activity in full, with the rich form of the records it refers to; as_of another time, if asked."""
    key = key_or_none(activity_id)
    if key is None:
        raise Unknown("Activity")
    if (when := wanted.when()) is not None:
        return await activity_then(ask, key, when)
    found = await ask.point(ACTIVITY, key)
    if not found.rows:
        raise Unknown("Activity")
    document, added, version = found.rows[0]
    return ask.one("Activity retrieved successfully", completed(document, added), version, found.behind)
