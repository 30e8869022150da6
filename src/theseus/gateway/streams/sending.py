"""A streamed answer: it ends when its reader is gone, or takes nothing for a while, or this process stops."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from theseus.gateway.streams.hub import GatewayStopping

STALLED = timedelta(seconds=60)
"""A reader that takes nothing for so long is gone."""
HEADERS: Mapping[str, str] = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}

_log = logging.getLogger("theseus.gateway")


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
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                self._gone()
            else:
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    async with asyncio.timeout(STALLED.total_seconds()):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            _log.info("a reader of a stream took nothing for %s and was left", STALLED)
            self._gone()
        except GatewayStopping:
            return
        else:
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _gone(self) -> None:
        if self._on_gone is not None:
            self._on_gone()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
