"""A worker's health endpoint: GET /healthz answers 200 while the worker polls, 503 while it stops or has lost Temporal."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

Check = Callable[[], Awaitable[str | None]]
"""Gives None when all is well, else what is wrong."""


@asynccontextmanager
async def endpoint(address: str, check: Check) -> AsyncGenerator[None]:
    """Serves the endpoint on host:port while the context is open."""
    host, _, port = address.rpartition(":")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await asyncio.wait_for(reader.readline(), timeout=5)
            writer.write(await _response(request, check))
            await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, host or "127.0.0.1", int(port))
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def _response(request: bytes, check: Check) -> bytes:
    if request.split(b" ")[1:2] not in ([b"/healthz"], [b"/health"]):
        status, body = "404 Not Found", "look at /healthz\n"
    else:
        wrong = await check()
        status, body = ("200 OK", "ok\n") if wrong is None else ("503 Service Unavailable", f"{wrong}\n")
    text = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return head.encode() + text
