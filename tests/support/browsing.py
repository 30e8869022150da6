"""For tests of the browser: a website on loopback, a neighbour that nobody may reach, and tools that drive Chromium."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.servers import free_port
from theseus.activities.tools.browser.chromium import Chromium
from theseus.activities.tools.browser.installed import NoBrowserError, browser
from theseus.activities.tools.browser.tools import browser_tools
from theseus.activities.tools.browser.visits import VisitLimits, Visits
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.stores.files import WorkspaceError, Workspaces
from theseus.stores.memory import MemoryBrowsers
from theseus.stores.ports import BrowserStore

ADA = SessionKey(session_id="s", user_id="ada")

HOME = """<!doctype html><title>The shop</title><body>
<h1>Welcome</h1><a href="/about">About us</a> <a href="/tab" target="_blank">In a new tab</a>
<form action="/order" method="post">
<label>Your name <input name="who"></label>
<label>Password <input name="secret" type="password"></label>
<label>Country <select name="country"><option>France</option><option>Greece</option></select></label>
<label><input type="checkbox" name="gift"> As a gift</label>
<button>Order</button></form>
<div id="made"></div>
<script>
  setTimeout(() => { document.getElementById("made").textContent = "made by a script"; }, 300);
</script></body>"""


@dataclass
class Site:
    """A website; `pages` are by path and may be replaced, `requests` are all that came, with their bodies."""

    port: int
    pages: dict[str, str | Response] = field(default_factory=dict[str, "str | Response"])
    requests: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.requests.append((path, (await request.body()).decode()))
        if path == "/order":
            form = dict((await request.form()).items())
            return HTMLResponse(f"<title>Ordered</title><p>Thank you: {json.dumps(form)}</p>")
        if path == "/to":
            return RedirectResponse(request.query_params["url"], 302)
        if path == "/slow":
            await asyncio.sleep(60)
        if path == "/tardy":
            await asyncio.sleep(2)
            return HTMLResponse(HOME)
        if path == "/endless":
            return StreamingResponse(_endless(), media_type="text/html")
        page = self.pages.get(path)
        if isinstance(page, Response):
            return page
        return HTMLResponse(page) if page is not None else HTMLResponse("<title>No</title>nothing is here", 404)


async def _endless() -> AsyncGenerator[bytes]:
    yield b"<title>Endless</title><p>the first words</p>"
    while True:
        await asyncio.sleep(0.2)
        yield b"<!-- -->"


@asynccontextmanager
async def site(**pages: str | Response) -> AsyncGenerator[Site]:
    """A website with a shop; further pages by name."""
    made = Site(free_port())
    made.pages = {"/": HOME, "/about": "<title>About</title><p>Since 1912</p>", "/tab": "<title>Tab</title>a tab"}
    made.pages |= {f"/{name}": page for name, page in pages.items()}
    app = Starlette(routes=[Route("/{path:path}", made.answer, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=made.port, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # pyright: ignore[reportAttributeAccessIssue] - older servers have it
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield made
    finally:
        server.should_exit = True
        await task


class Neighbour(asyncio.DatagramProtocol):
    """Listens on loopback, by TCP and UDP on one port; `heard` is all that ever came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.heard.append(b"UDP " + data[:40])

    async def tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(b"TCP " + await reader.read(80))
        writer.close()


@asynccontextmanager
async def neighbour() -> AsyncGenerator[Neighbour]:
    """Somebody on this machine whom no page may reach."""
    made = Neighbour()
    server = await asyncio.start_server(made.tcp, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: made, local_addr=("127.0.0.1", made.port)
    )
    try:
        yield made
    finally:
        transport.close()
        server.close()


def installed() -> Path:
    """The browser's program; the test is skipped where there is none."""
    try:
        return browser(None)
    except NoBrowserError as error:
        pytest.skip(str(error))


class Surfer:
    """An agent with a browser, on a worker of its own."""

    def __init__(
        self,
        folder: Path,
        allow: Sequence[str],
        *,
        places: BrowserStore | None = None,
        limits: VisitLimits | None = None,
        egress: Egress | None = None,
        memory_bytes: int = 2 << 30,
        program: Path | None = None,
    ) -> None:
        self.egress = egress or Egress(allow)
        self.chromium = Chromium(program or installed(), self.egress, memory_bytes=memory_bytes)
        self.visits = Visits(self.chromium, self.egress, places or MemoryBrowsers(), limits)
        self.workspaces = Workspaces(folder / "workspaces", quota_bytes=20_000_000)
        self.registry = Registry(browser_tools(self.visits, self.workspaces, "own-queue", (WorkspaceError,)))
        self.calls = 0

    async def __call__(
        self, tool: str, *, user: SessionKey = ADA, task: str = "task-1", agent: str = "", **arguments: Any
    ) -> Outcome:
        self.calls += 1
        context = ToolContext(user, task, f"{task}:{self.calls}", agent)
        call = ToolCall(id="c", name=f"browser_{tool}", arguments=json.dumps(arguments))
        return await self.registry.run(call, context)

    async def ok(self, tool: str, **arguments: Any) -> str:
        """The text of a call that has to work."""
        outcome = await self(tool, **arguments)
        assert not outcome.is_error, outcome.text
        return outcome.text

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.visits.aclose()


def number_of(text: str, words: str) -> int:
    """The number of the element in whose line these words stand."""
    line = next(line for line in text.splitlines() if line.startswith("[") and words in line)
    return int(line[1 : line.index("]")])
