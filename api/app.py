"""The composition root: one function that puts the house together, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accounts import activities as account_activities
from api.http import (
    activities,
    activity_commands,
    api_keys,
    audit_changes,
    audit_feed,
    audit_proofs,
    bulk_actions,
    directory,
    erasure,
    health,
    history,
    problem_pages,
    problems,
)
from api.http.disk import Disk
from api.http.feed_stream import OpenStreams
from api.http.rate_limit import RateLimit
from api.http.request_ids import RequestIds
from api.http.sampling import sampled
from api.http.strict_route import ShortWay
from api.http.tokens import Keys, SharedSecret, Tokens
from api.openapi import page as docs
from application import tracing
from application.api_key.recognition import ApiKeys
from application.command import Policy
from application.desk import Desk
from application.erasure.carrying_on import CarryingOn
from application.event_store import keyring
from application.history.news import News
from application.postgres.connections import writer_of
from application.settings import Settings
from projections.gathering import Gatherer
from projections.reading import Reader
from projections.time_travel.travelling import TimeTravel

SURFACE_S = "/api/v1/crm"
SURFACE_T = "/v1/accounts"


ROUTERS = (
    *((SURFACE_S, room.router) for room in (activity_commands, activities, history, bulk_actions, directory)),
    *((SURFACE_S, room.router) for room in (audit_feed, audit_changes, audit_proofs, api_keys, erasure)),
    (SURFACE_T, account_activities.router),
    *(("", room.router) for room in (health, problem_pages, docs)),
)
"""Under which path each router's routes are; where two match, the first counts."""


class Service(FastAPI):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI looks for each request whether to trace it its own way; ours are traced by Traces."""
        if scope["type"] == "http":
            await Starlette.__call__(self, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Request ids come outermost, so that even the answer to an unexpected failure has one."""
        app: ASGIApp = ShortWay(self, super().build_middleware_stack(), ROUTERS)
        if tracing.spans is not None:
            from api.http.traces import Traces

            app = Traces(app, tracing.spans)
        return RequestIds(app, logged=self.state.settings.log_requests)

    def openapi(self) -> dict[str, Any]:
        """Made when somebody asks for it; workers that nobody asks need not even know how."""
        if self.openapi_schema is None:
            from api.openapi.document import document_of

            self.openapi_schema = document_of(self)
        return self.openapi_schema


def policy_of(settings: Settings) -> Policy:
    """What the operator settled for every organisation."""
    return Policy(
        currency=settings.currency,
        strict_references=settings.related_records == "strict",
        time_zone=ZoneInfo(settings.time_zone),
    )


def create_app(settings: Settings) -> FastAPI:
    """The API of one worker. Needs a migrated database at `settings.database_url`."""
    dsn = settings.database_url
    if dsn is None:
        raise ValueError("ACTIVITIES_DATABASE_URL is not set: `activities serve` starts a database")
    keyring.use(settings)
    desk = Desk(writer_of(dsn), policy=policy_of(settings), lanes=settings.desk_lanes)
    reader = Reader(settings.read_url or dsn, size=settings.read_pool_size, patience=settings.freshness_timeout)

    time_travel = TimeTravel(dsn)
    keys = ApiKeys(dsn, settings.pepper())
    token_keys = _token_keys(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            desk.opened(),
            reader.opened(),
            time_travel.opened(),
            keys.opened(),
            token_keys.opened(),
            sampled(reader, desk),
            CarryingOn(desk, dsn).opened(),
        ):
            yield

    app = Service(
        title="Activities",
        version="0.1.0",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.desk = desk
    app.state.disk = Disk(settings.data_dir / "postgres" / "data")
    app.state.reader = reader
    app.state.time_travel = time_travel
    app.state.gatherer = Gatherer(reader)
    app.state.api_keys = keys
    app.state.tokens = Tokens(
        token_keys, leeway=settings.jwt_leeway, issuer=settings.jwt_issuer, audience=settings.jwt_audience
    )
    app.state.rate_limit = RateLimit(settings.rate_limit)
    app.state.news = News(dsn)
    app.state.open_streams = OpenStreams(settings.feed_streams)
    problems.install(app)
    for prefix, router in ROUTERS:
        app.include_router(router, prefix=prefix)
    return app


def _token_keys(settings: Settings) -> Keys:
    """What tokens are checked with: never a shared secret beside public keys."""
    if settings.jwks_url is not None:
        from api.http.jwks import Jwks  # with an HTTP client, 4 MB in each worker that has no need of it

        return Jwks(settings.jwks_url, refresh=settings.jwks_refresh)
    return SharedSecret(settings.secret())
