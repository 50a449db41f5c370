"""Is it alive, is it ready, what does it measure? No credentials needed."""

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.http.envelope import ok
from api.http.metrics import exposition
from api.http.problems import Problem
from application.refusals import Unavailable
from projections.reading import Reader
from projections.resource import to_json
from projections.standing import SIGNING, STANDING, TROUBLE

router = APIRouter(tags=["operation"])


@router.get("/health/live", name="check_liveness")
async def live() -> Response:
    return ok(to_json({"status": "alive"}))


@router.get("/health/ready", name="check_readiness")
async def ready(request: Request) -> Response:
    """200 when commands and questions can be served, else 503 with the reason.

    `degraded` says that some activities have an event no table could take (all others are served), or that the audit
    signer is silent, or refuses to sign what is not what was signed before.
    """
    reader: Reader = request.app.state.reader
    try:
        ((reason, parked, audit),) = await reader.operation(TROUBLE)
    except Unavailable as error:
        reason, parked, audit = str(error), 0, None
    reason = request.app.state.disk.trouble() or request.app.state.desk.trouble() or reason
    if reason is not None:
        raise Problem("unavailable", f"Not ready: {reason}", headers={"Retry-After": "1"}, reason=reason)
    troubles = ({"parked": parked} if parked else {}) | ({"audit": audit} if audit else {})
    return ok(to_json({"status": "degraded", **troubles} if troubles else {"status": "ready"}))


@router.get("/metrics", name="get_metrics")
async def get_metrics(request: Request) -> Response:
    """For Prometheus: commands, batches, requests by route, and where the read models stand."""
    rows: list[tuple[Any, ...]] | None
    try:
        rows = await request.app.state.reader.operation(STANDING)
        signing = await request.app.state.reader.operation(SIGNING)
    except Unavailable:
        rows, signing = None, []  # what the process itself counted is still worth telling
    return Response(exposition(rows, signing), 200, None, CONTENT_TYPE_LATEST)
