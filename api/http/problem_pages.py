"""GET /problems and /problems/{code}: what the `type` of a problem document leads to. No credentials needed."""

from html import escape

from fastapi import APIRouter
from starlette.responses import Response

from api.http.problems import KINDS, Kind, Problem

router = APIRouter(tags=["operation"], prefix="/problems", include_in_schema=False)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "public, max-age=3600",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 44rem; margin: 12vh auto; padding: 0 1.5rem;
         color: #1d2733; background: #fbfbf9 }}
  h1 {{ font-weight: 600; letter-spacing: -0.01em }}
  code, small {{ color: #6b7785 }}
  a {{ color: inherit }}
  dt {{ margin-top: 1.2rem }}
  dd {{ margin: 0 }}
</style>
{body}
</html>
"""


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=escape(title), body=body).encode()


def _entry(code: str, kind: Kind) -> str:
    return (
        f'<dt><small>{kind.status}</small> <a href="/problems/{code}">{escape(kind.title)}</a> <code>{code}</code></dt>'
        f"<dd>{escape(kind.help)}</dd>"
    )


def _of(code: str, kind: Kind) -> bytes:
    body = f"<p><small>{kind.status}</small> <code>{code}</code></p><h1>{escape(kind.title)}</h1>"
    return _page(kind.title, f'{body}<p>{escape(kind.help)}</p><p><a href="/problems">All problems</a></p>')


_PAGES = {code: _of(code, kind) for code, kind in KINDS.items()}
_ALL = _page("Problems", f"<h1>Problems</h1><dl>{''.join(_entry(*one) for one in KINDS.items())}</dl>")


@router.get("")
async def list_problems() -> Response:
    return Response(_ALL, 200, _HEADERS, "text/html")


@router.get("/{code}")
async def show_problem(code: str) -> Response:
    if code not in _PAGES:
        raise Problem("not_found")
    return Response(_PAGES[code], 200, _HEADERS, "text/html")
