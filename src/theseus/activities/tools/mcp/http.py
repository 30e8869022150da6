"""An MCP server over streamable HTTP, with a bound on what one answer may hold."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2

from theseus.activities.tools.mcp.file import Address
from theseus.activities.tools.mcp.stdio import MAX_MESSAGE_BYTES

CONNECT = 10.0
"""Seconds to reach the server."""


def http_client(address: Address, read_timeout: timedelta) -> httpx2.AsyncClient:
    """The HTTP client that speaks to a server.

    Args:
        address: where it is. The operator named it, so it may be a private one; the MCP library stays on its origin.
        read_timeout: how long it may say nothing.
    """
    return httpx2.AsyncClient(
        # what is compressed could be of any size when it is not
        headers={**address.headers, "Accept-Encoding": "identity"},
        timeout=httpx2.Timeout(CONNECT, read=read_timeout.total_seconds()),
        transport=_Capped(httpx2.AsyncHTTPTransport()),
        trust_env=False,
    )


class _Capped(httpx2.AsyncBaseTransport):
    """Refuses encoded bodies, and bodies above the cap that are no event streams; those have a cap for each event."""

    def __init__(self, inner: httpx2.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            await response.aclose()
            raise httpx2.StreamError("it sent an encoding that was not asked for")
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _CappedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._inner:
            size += len(part)
            if size > MAX_MESSAGE_BYTES:
                raise httpx2.StreamError(f"it sent a message of more than {MAX_MESSAGE_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
