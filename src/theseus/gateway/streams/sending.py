"""A streamed answer: it ends when its reader is gone, or takes nothing for a while, or this process stops."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from theseus.gateway.streams.items import GatewayStopping

LOOK = timedelta(seconds=10)
STALLED = timedelta(seconds=30)
"""A reader that takes nothing for so long is gone; it is looked after every `LOOK`."""
HEADERS: Mapping[str, str] = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

_log = logging.getLogger("theseus.gateway")


class Giving:
    """What a reader is given: it stalls where it does not take it."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._since: float | None = None

    async def give(self, sent: Awaitable[None]) -> None:
        """Waits until the reader has room for what is sent."""
        self._since = self._clock()
        await sent
        self._since = None

    async def until_over(self, sending: asyncio.Task[Any], leaving: asyncio.Task[None]) -> None:
        """Waits until all is sent, or the reader left, or it stalls."""
        while not sending.done() and not leaving.done() and not self._is_stalled():
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED, timeout=LOOK.total_seconds())

    def _is_stalled(self) -> bool:
        if self._since is None or self._clock() - self._since < STALLED.total_seconds():
            return False
        _log.info("a reader of a stream took nothing for %s and was left", STALLED)
        return True


class EventStream(Response):
    """`text/event-stream`, piece by piece. A process that stops breaks the connection off: clients come back then.

    Args:
        pieces: what is sent.
        headers: beside those of every stream.
        on_gone: called when the reader left, or stalled, before the end.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        pieces: AsyncGenerator[bytes],
        headers: Mapping[str, str] | None = None,
        on_gone: Callable[[], None] | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self._pieces = pieces
        self._on_gone = on_gone
        self.init_headers({**HEADERS, **(headers or {})})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        giving = Giving()
        sending = asyncio.create_task(self._send(send, giving))
        leaving = asyncio.create_task(_left(receive))
        try:
            await giving.until_over(sending, leaving)
            if sending.done():
                sending.result()
            elif self._on_gone is not None:
                self._on_gone()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send, giving: Giving) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await giving.give(send({"type": "http.response.body", "body": piece, "more_body": True}))
        except GatewayStopping:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
