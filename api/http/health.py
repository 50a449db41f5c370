"""Is it alive, is it ready, what does it measure? No credentials needed."""

import psycopg
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.http.envelope import ok
from api.http.problems import Problem
from application.refusals import Unavailable
from projections.reading import Reader
from projections.resource import to_json

router = APIRouter(tags=["operation"])


@router.get("/health/live", name="check_liveness")
async def live() -> Response:
    return ok(to_json({"status": "alive"}))


@router.get("/health/ready", name="check_readiness")
async def ready(request: Request) -> Response:
    """200 when commands and questions can be served, else 503 with the reason."""
    reader: Reader = request.app.state.reader
    try:
        reason = await reader.trouble()
    except (psycopg.Error, Unavailable) as error:
        reason = f"the database does not answer: {type(error).__name__}"
    if reason is not None:
        raise Problem("unavailable", f"Not ready: {reason}", headers={"Retry-After": "1"}, reason=reason)
    return ok(to_json({"status": "ready"}))


@router.get("/metrics", name="get_metrics")
async def metrics() -> Response:
    return Response(generate_latest(), 200, None, CONTENT_TYPE_LATEST)
