"""Serves all websites of a planted corpus, and a search over them as SearXNG speaks it, from one loopback address."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from evaluation.corpus import Corpus
from evaluation.index import Index, snippet_of
from evaluation.pages import body, media_type
from evaluation.truth import PageKind

LOOPBACK = "127.0.0.1"
RESULTS = 12
"""Of one page of results."""


@dataclass
class Visit:
    """One request: a search, then `query` says for what, or a page. Times are seconds since the epoch."""

    url: str
    query: str = ""
    status: int = 200
    began: float = field(default_factory=time.time)
    ended: float = 0.0

    @property
    def is_search(self) -> bool:
        """Whether it asked the search."""
        return bool(self.query)


class Site:
    """The planted web while it runs; `visits` are all requests in the order in which they came.

    Args:
        corpus: what it serves.
        page_seconds: how long each page takes.
        search_seconds: how long each search takes.
    """

    def __init__(self, corpus: Corpus, page_seconds: float = 0.0, search_seconds: float = 0.0) -> None:
        self.corpus = corpus
        self.page_seconds = page_seconds
        self.search_seconds = search_seconds
        self.visits: list[Visit] = []
        self._index = Index(corpus.pages)

    @property
    def queries(self) -> list[str]:
        """What was searched for."""
        return [visit.query for visit in self.visits if visit.is_search]

    def app(self) -> Starlette:
        """The application: websites are told apart by the Host header."""
        return Starlette(routes=[Route("/search", self._search), Route("/{path:path}", self._page)])

    async def _search(self, request: Request) -> Response:
        visit = Visit(str(request.url), request.query_params.get("q", ""))
        self.visits.append(visit)
        await asyncio.sleep(self.search_seconds)
        found = self._index.search(visit.query, RESULTS)
        visit.ended = time.time()
        results = [
            {"url": page.url, "title": page.title, "content": snippet_of(page), "publishedDate": page.published}
            for page in found
        ]
        return JSONResponse({"query": visit.query, "number_of_results": len(results), "results": results})

    async def _page(self, request: Request) -> Response:
        visit = Visit(f"http://{request.headers['host']}{request.url.path}")
        self.visits.append(visit)
        await asyncio.sleep(self.page_seconds)
        page = self.corpus.page(visit.url)
        visit.ended = time.time()
        if page is None or page.kind is PageKind.GONE:
            visit.status = 404
            return PlainTextResponse("There is no such page.", status_code=404)
        return Response(body(page), headers={"Content-Type": media_type(page)})


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every host is this machine: what a worker is handed in, so that planted websites can have names."""
    return [LOOPBACK]


def reserved() -> socket.socket:
    """A free port, taken: the corpus has to know it before it can be served there."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, 0))
    return listener


def port_of(listener: socket.socket) -> int:
    """The port that was taken."""
    return int(listener.getsockname()[1])


@asynccontextmanager
async def serving(site: Site, listener: socket.socket) -> AsyncGenerator[str, None]:
    """Serves a web while the context is open; gives the address of its search."""
    config = uvicorn.Config(site.app(), log_config=None, log_level="critical", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield f"http://{LOOPBACK}:{port_of(listener)}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
        listener.close()
