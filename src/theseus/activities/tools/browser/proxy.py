"""The browser's only way out: a forward proxy on loopback that connects to addresses which `Egress` lets pass.

A name is resolved here and connected to by the very address that was checked, so no redirect, frame, script, socket or
name that changes its address reaches what tools may not reach.
"""

import asyncio
import contextlib
import logging
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import h11
import httpx2

from theseus.activities.tools.egress import Checked, Egress, EgressRefused

_log = logging.getLogger("theseus.browser")

MAX_CONNECTIONS = 256
"""More at the same time are turned away."""
MAX_BYTES = 200 << 20
"""So much goes through one connection, in each direction."""
HEAD = timedelta(seconds=10)
"""A request has to be here by then."""
CONNECT = timedelta(seconds=10)
IDLE = timedelta(minutes=2)
"""A connection on which nothing comes for so long is closed."""

_BLOCK = 1 << 16
_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"upgrade"})
_TARGET = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", re.ASCII)
_BROKEN = (OSError, EgressRefused, TimeoutError, h11.ProtocolError, httpx2.InvalidURL, UnicodeDecodeError)

Stream = tuple[StreamReader, StreamWriter]


class FilteringProxy:
    """Listens on a free port of 127.0.0.1 while it is open.

    Args:
        egress: decides where may be connected to.
    """

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._server: asyncio.Server | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where the browser finds it, as a URL."""
        assert self._server is not None, "it is not open"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def open(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_BLOCK)

    async def close(self) -> None:
        """Ends all connections and stops to listen."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._at_work):
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._at_work) >= MAX_CONNECTIONS:
            writer.close()
            return
        self._at_work.add(task)
        try:
            await self._serve((reader, writer))
        except _BROKEN as error:
            # what it was is in the log of Egress; the browser sees a connection that ended
            _log.debug("a connection of the browser ended: %s", error)
        except asyncio.CancelledError:
            # asyncio's server would report the task of a connection that ends cancelled as a failure
            pass
        finally:
            self._at_work.discard(task)
            writer.close()

    async def _serve(self, browser: Stream) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_BLOCK)
        async with asyncio.timeout(HEAD.total_seconds()):
            request = await _event(connection, browser[0])
        if not isinstance(request, h11.Request):
            return
        if request.method == b"CONNECT":
            await self._tunnel(browser, connection, request)
        else:
            await self._forward(browser, connection, request)

    async def _tunnel(self, browser: Stream, connection: h11.Connection, request: h11.Request) -> None:
        target = request.target.decode("ascii")
        try:
            if not _TARGET.fullmatch(target):
                raise EgressRefused("a tunnel leads to a host and a port")
            checked = await self._egress.check(f"http://{target}/")
            site = await _connected(checked)
        except EgressRefused:
            await _say(browser[1], b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        except (OSError, TimeoutError):
            await _say(browser[1], b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        async with _closing(site):
            await _say(browser[1], b"HTTP/1.1 200 Connection established\r\n\r\n")
            if early := connection.trailing_data[0]:
                await _say(site[1], early)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pour(browser[0], site[1]))
                both.create_task(_pour(site[0], browser[1]))

    async def _forward(self, browser: Stream, connection: h11.Connection, request: h11.Request) -> None:
        url = request.target.decode("ascii")
        site = await _connected(await self._egress.check(url))
        async with _closing(site):
            ahead = h11.Connection(h11.CLIENT)
            asked = h11.Request(
                method=request.method, target=httpx2.URL(url).raw_path, headers=_headers(request.headers.raw_items())
            )
            await _say(site[1], ahead.send(asked))
            async for event in _events(connection, browser[0]):
                await _say(site[1], ahead.send(event))
            async for event in _events(ahead, site[0]):
                if isinstance(event, h11.Response):
                    event = h11.Response(
                        status_code=event.status_code,
                        reason=event.reason,
                        headers=_headers(event.headers.raw_items()),
                    )
                await _say(browser[1], connection.send(event))


def _headers(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Those that are meant for the other end; each connection carries one request."""
    return [(name, value) for name, value in given if name.lower() not in _HOP] + [(b"Connection", b"close")]


async def _events(connection: h11.Connection, reader: StreamReader) -> AsyncGenerator[h11.Event]:
    """What comes, up to the end of the message; what is only preliminary is left out."""
    sent = 0
    while True:
        async with asyncio.timeout(IDLE.total_seconds()):
            event = await _event(connection, reader)
        if isinstance(event, h11.ConnectionClosed):
            return
        if isinstance(event, h11.Data):
            sent += len(event.data)
            if sent > MAX_BYTES:
                raise ConnectionError("too much")
        if not isinstance(event, h11.InformationalResponse):
            yield event
        if isinstance(event, h11.EndOfMessage):
            return


async def _event(connection: h11.Connection, reader: StreamReader) -> h11.Event:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_BLOCK))
        elif isinstance(event, h11.Event):
            return event
        else:
            raise ConnectionError("nothing more is read of this connection")


async def _connected(checked: Checked) -> Stream:
    """A connection to the first of the checked addresses that takes it."""
    for address in checked.addresses[:-1]:
        with contextlib.suppress(OSError):
            return await _to(str(address), checked.port)
    return await _to(str(checked.addresses[-1]), checked.port)


async def _to(address: str, port: int) -> Stream:
    async with asyncio.timeout(CONNECT.total_seconds()):
        return await asyncio.open_connection(address, port, limit=_BLOCK)


@asynccontextmanager
async def _closing(site: Stream) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        site[1].close()


async def _pour(source: StreamReader, target: StreamWriter) -> None:
    poured = 0
    with contextlib.suppress(OSError, TimeoutError):
        while poured < MAX_BYTES:
            async with asyncio.timeout(IDLE.total_seconds()):
                block = await source.read(_BLOCK)
            if not block:
                break
            poured += len(block)
            await _say(target, block)
    with contextlib.suppress(OSError):
        target.write_eof()


async def _say(writer: StreamWriter, data: bytes | None) -> None:
    if data:
        writer.write(data)
        async with asyncio.timeout(IDLE.total_seconds()):
            await writer.drain()
