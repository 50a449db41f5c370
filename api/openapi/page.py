"""GET /docs: the document as a page to read and try out. Everything on it comes from this service."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

router = APIRouter(prefix="/docs", include_in_schema=False)

_KEPT = {"Cache-Control": "public, max-age=86400"}
_POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Activities: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
})
"""


def _swagger_ui(name: str) -> Path:
    return Path(str(files("fastapi_swagger.resources") / name))


@router.get("")
async def show_docs() -> Response:
    return Response(_PAGE, 200, {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}, "text/html")


@router.get("/start.js")
async def show_start() -> Response:
    return Response(_START, 200, {"Cache-Control": "no-cache"}, "text/javascript")


@router.get("/swagger-ui-bundle.js")
async def show_script() -> Response:
    return FileResponse(_swagger_ui("swagger-ui-bundle.js"), headers=_KEPT, media_type="text/javascript")


@router.get("/swagger-ui.css")
async def show_style() -> Response:
    return FileResponse(_swagger_ui("swagger-ui.css"), headers=_KEPT, media_type="text/css")
