"""A model server that writes the time of sending into every token, so that a reader can tell how late it came."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def _tokens(count: int, per_second: float) -> AsyncIterator[bytes]:
    for _ in range(count):
        choice = {"index": 0, "delta": {"content": f"{time.time():.6f} "}, "finish_reason": None}
        yield _chunk({"choices": [choice]})
        await asyncio.sleep(1 / per_second)
    yield _chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _chunk(
        {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count}}
    )
    yield b"data: [DONE]\n\n"


def _chunk(fields: dict[str, object]) -> bytes:
    base = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return f"data: {json.dumps(base | fields)}\n\n".encode()


@asynccontextmanager
async def streaming(count: int, per_second: float) -> AsyncGenerator[str, None]:
    """Serves on a free port; gives the base URL."""

    async def complete(_: Request) -> StreamingResponse:
        return StreamingResponse(_tokens(count, per_second), media_type="text/event-stream")

    app = Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.should_exit = True
        await task
