"""What every request passes on its way in and out: an id, a largest body, security headers, an answer to any fault.

Plain ASGI: streams stay streams.
"""

import asyncio
import re
import uuid
from datetime import timedelta

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from theseus import tracing
from theseus.gateway.limits import headers_of
from theseus.gateway.refusals import Refusal, answer, noted

BODY_PATIENCE = timedelta(seconds=30)
"""How long a body may take to come, in all: who sends it byte by byte holds nothing for longer."""
MOST_BODY_BYTES = 2 * 1024 * 1024
"""Above the largest task, so that what is too large is said by the rule that it breaks."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def request_id_of(given: str) -> str:
    """The id that a request brings, or a new one where that is none."""
    return given if _ID.fullmatch(given) else str(uuid.uuid4())


class RequestIds:
    """Gives each request an id, its own `X-Request-ID` if it brings one, in the answer and in every line of the log.

    A `traceparent` that is one is told in the log, too, and goes with what the request starts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_of(headers.get("x-request-id", ""))

        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        told = {"request_id": request_id}
        if trace := tracing.traceparent(headers.get(tracing.TRACEPARENT)):
            told["trace_id"] = tracing.trace_id(trace)
        token = tracing.current.set(trace)
        try:
            with structlog.contextvars.bound_contextvars(**told):
                await self._app(scope, receive, labelled)
        finally:
            tracing.current.reset(token)


class SecurityHeaders:
    """Headers that keep browsers from guessing, framing and caching; a route may set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


class TellLimits:
    """Tells whose request was counted what is left, in the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        state = scope.setdefault("state", {})

        async def told(message: Message) -> None:
            allowance = state.get("allowance")
            if allowance is not None and message["type"].endswith("http.response.start"):
                MutableHeaders(scope=message).update(headers_of(allowance))
            await send(message)

        await self._app(scope, receive, told)


class BodyLimit:
    """Refuses a body above MOST_BODY_BYTES, whether or not it says its length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > MOST_BODY_BYTES:
            await _too_large(scope, receive, send)
            return
        size, is_whole = 0, False
        clock = asyncio.get_running_loop().time
        until = clock() + BODY_PATIENCE.total_seconds()

        async def counted() -> Message:
            nonlocal size, is_whole
            try:
                # after the body, what comes is that the client leaves, whenever it does
                message = await asyncio.wait_for(receive(), None if is_whole else until - clock())
            except TimeoutError:
                raise Refusal(408, _SLOW, {"Connection": "close"}) from None
            if message["type"] == "http.request":
                is_whole = not message.get("more_body", False)
                size += len(message.get("body", b""))
                if size > MOST_BODY_BYTES:
                    raise Refusal(413, _WORDS)
            return message

        await self._app(scope, counted, send)


class Faults:
    """Answers what no route expected where the request's id is still known, to who asked and to the log.

    An answer that has begun is broken off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def seen(message: Message) -> None:
            nonlocal is_answered
            is_answered = is_answered or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, seen)
        except ClientDisconnect:
            # it left before its body was whole: there is nobody to answer, and no fault
            return
        except Exception as error:
            refusal = noted(error)
            if is_answered:
                raise
            await answer(refusal, scope["path"])(scope, receive, send)


_SLOW = f"the request body did not come within {BODY_PATIENCE.total_seconds():g} seconds"
_WORDS = f"the request body is too large: at most {MOST_BODY_BYTES:,} bytes are accepted"


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(Refusal(413, _WORDS, {"Connection": "close"}), scope["path"])(scope, receive, send)
