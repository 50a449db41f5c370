"""What every GET shares: the caller's organisation, the freshness of the answer, pages and their meta."""

from collections.abc import Sequence
from uuid import UUID

import psycopg
from fastapi import Request
from starlette.responses import Response

from api.http.caller import Caller
from api.http.envelope import enveloped, etag, ok
from api.http.identity import WhoAsks, caller_of, permitted
from api.http.problems import Problem
from application.history.moments import When
from domain.refusals import Invalid
from projections.gathering import Gatherer, PointQuestion
from projections.paging import Listing, Page, Place
from projections.reading import Found, Question, Reader
from projections.time_travel.session import Asked
from projections.time_travel.travelling import TimeTravel


class Asking:
    """A caller's questions. Every one is of the caller's own organisation."""

    def __init__(self, caller: Caller, reader: Reader, request: Request) -> None:
        self.caller = caller
        self.organization_id = caller.organization_id
        self._reader = reader
        self._gatherer: Gatherer = request.app.state.gatherer
        self._request = request

    async def ask(self, question: Question) -> Found:
        """The rows found. Raises Problem unavailable where they are stale and the caller is strict about it."""
        found = await self._reader.ask(self.organization_id, question)
        self._fresh(found.behind)
        return found

    async def point(self, question: PointQuestion, key: UUID) -> Found:
        """The same, for a single row."""
        found = await self._gatherer.row(self.organization_id, question, key)
        self._fresh(found.behind)
        return found

    def _fresh(self, behind: int) -> None:
        if behind and "handling=strict" in self._request.headers.get("prefer", ""):
            detail = "The read tables have not caught up with what was acknowledged"
            raise Problem("unavailable", detail, headers={"Retry-After": "1"} | lag(behind))

    async def page(self, listing: Listing, place: Place, when: When | None = None, terms: Sequence[str] = ()) -> Page:
        """A page of the listing, as of another time if asked; `terms` are what a search is for."""
        try:
            if when is not None:
                return await self._page_then(listing, place, when, terms)
            page = await self._gatherer.page(self.organization_id, listing, place)
        except (psycopg.DataError, UnicodeError):
            if place.cursor is None:
                raise
            raise Invalid("cursor", "is not a cursor this service gave") from None  # one that was tampered with
        self._fresh(page.behind)
        return page

    async def _page_then(self, listing: Listing, place: Place, when: When, terms: Sequence[str]) -> Page:
        """Activities deleted by now are for auditors, whenever they are asked about."""
        travel: TimeTravel = self._request.app.state.time_travel
        auditor = "audit:read" in self.caller.scopes
        return await travel.page(Asked(self.organization_id, when, listing, place, terms, auditor=auditor))

    async def listed(self, listing: Listing, place: Place, message: str, when: When | None = None) -> Response:
        page = await self.page(listing, place, when)
        return paged(page, place, message, page.items)

    def one(self, message: str, data: str, version: int, behind: int) -> Response:
        """One resource with its ETag; 304 where the caller has it already."""
        body = enveloped(message, data.encode())
        tag = etag(version, body)
        headers = {"ETag": tag} | lag(behind)
        known = [known.strip() for known in self._request.headers.get("if-none-match", "").split(",")]
        if tag in known or "*" in known:
            return Response(None, 304, headers)
        return ok(body, headers)


def paged(page: Page, place: Place, message: str, items: list[str]) -> Response:
    data = f"[{','.join(items)}]".encode()
    return ok(enveloped(message, data, meta=meta_of(page, place)), lag(page.behind))


def meta_of(page: Page, place: Place) -> dict[str, int | str | None]:
    if page.total is None:
        return {"per_page": place.per_page, "next_cursor": page.next_cursor}
    return {
        "current_page": place.page,
        "per_page": place.per_page,
        "total": page.total,
        "last_page": max(1, -(-page.total // place.per_page)),
        "next_cursor": page.next_cursor,
    }


def lag(behind: int) -> dict[str, str]:
    return {"Projection-Lag": str(behind)} if behind else {}


def place_of(page: int | None, per_page: int, cursor: str | None) -> Place:
    if page is not None and cursor is not None:
        raise Invalid("cursor", "page and cursor exclude each other")
    return Place(per_page=per_page, page=page or 1, cursor=cursor)


class Asks:
    """A dependency of routes that read with a scope."""

    def __init__(self, scope: str, who: WhoAsks = caller_of) -> None:
        self.scope = scope
        self._who = who

    async def __call__(self, request: Request) -> Asking:
        caller = permitted(await self._who(request), self.scope)
        return Asking(caller, request.app.state.reader, request)
