"""GET /: the page to watch tasks, and its files. Open to all: it holds nothing; what it shows it asks the API for."""

from functools import cache
from html import escape
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from theseus.gateway.backend import Behind
from theseus.gateway.refusals import Refusal

router = APIRouter(include_in_schema=False)

_FILES = files("theseus.gateway") / "page"
_KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_POLICY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


@router.get("/")
async def page(backend: Behind) -> HTMLResponse:
    """The page, told where Temporal's UI is."""
    text = (_FILES / "index.html").read_text()
    if backend.settings.temporal_ui:
        place = f"{backend.settings.temporal_ui.rstrip('/')}/namespaces/{backend.temporal.namespace}/workflows"
        text = text.replace("</head>", f'<meta name="temporal-ui" content="{escape(place)}">\n</head>')
    return HTMLResponse(text, headers=_POLICY)


@router.get("/page/{name}")
async def file(name: str) -> Response:
    """One of its files."""
    kind = _served().get(name)
    if kind is None:
        raise Refusal(404, "there is no such file")
    return Response((_FILES / name).read_text(), media_type=kind, headers=_POLICY)


@cache
def _served() -> dict[str, str]:
    """The media types of the files by name: what else a name may be is never asked of the disk."""
    return {each.name: kind for each in _FILES.iterdir() for end, kind in _KINDS.items() if each.name.endswith(end)}
