"""A server that plays back recorded bodies, byte by byte, and keeps what was sent to it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.servers import free_port


@dataclass
class Recording:
    """What is answered, and what was asked."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sent_headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def answer(self, request: Request) -> Response:
        """Plays the recording."""
        self.asked.append(json.loads(await request.body()))
        self.sent_headers.append(dict(request.headers))
        kind = "text/event-stream" if self.status == 200 else "application/json"
        return Response(self.body, self.status, self.headers, media_type=kind)


def events(*values: Any, end: str | None = None) -> str:
    """Server-sent events of these values; with their type as event name where they have one."""
    lines: list[str] = []
    for value in values:
        name = f"event: {value['type']}\n" if "type" in value else ""
        lines.append(f"{name}data: {json.dumps(value)}\n\n")
    return "".join(lines) + (f"data: {end}\n\n" if end else "")


@asynccontextmanager
async def playing(
    body: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> AsyncGenerator[Recording, None]:
    """Serves a recording on a free port."""
    recording = Recording(body, status, headers or {})
    app = Starlette(routes=[Route("/{path:path}", recording.answer, methods=["POST"])])
    async with serving(app) as recording.url:
        yield recording


@asynccontextmanager
async def serving(app: Starlette) -> AsyncGenerator[str, None]:
    """Serves an application on a free port, and gives its URL."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
