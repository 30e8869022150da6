"""One scripted answer on its way to a client: waits, paces, goes wrong as the rule says, notices a client that leaves."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from theseus.activities.llm.scripted.answers import CHARS_OF_A_TOKEN, Given
from theseus.activities.llm.scripted.script import Asked, Fault, Rule


class Wire(Protocol):
    """What a module that speaks a provider's wire has."""

    def asked(self, body: dict[str, Any]) -> Asked:
        """What a request asks; raises ValueError, KeyError, TypeError or AttributeError when it cannot be read."""
        ...

    def whole(self, given: Given) -> dict[str, Any]:
        """The answer in one piece."""
        ...

    def chunks(self, given: Given, body: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
        """The answer as a stream: characters of text and arguments so far, and the bytes of an event."""
        ...

    def error(self, status: int, words: str) -> dict[str, Any]:
        """An error's body."""
        ...


class CutError(Exception):
    """Ends a response in the middle, so that the socket closes."""


class Playing(Response):
    """One scripted answer. `ended` is told how it went: `answered`, a status, `garbage`, `cut`, `left` or `failed`."""

    def __init__(
        self, wire: Wire, body: dict[str, Any], rule: Rule, given: Given, ended: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._wire = wire
        self._asked_body = body
        self._streams = bool(body.get("stream"))
        self._rule = rule
        self._given = given
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, for as long as the client stays."""
        work = asyncio.create_task(self._answer(send))
        gone = asyncio.create_task(_gone(receive))
        outcome = "failed"
        try:
            await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
            outcome = work.result() if work.done() else "left"
        except CutError:
            outcome = "cut"
            raise
        finally:
            for task in (work, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CutError, OSError):
                    await task
            self._ended(outcome)

    async def _answer(self, send: Send) -> str:
        await asyncio.sleep(self._rule.latency)
        fault = self._rule.fault
        if fault is not None and fault.hang:
            await asyncio.Event().wait()
        if fault is not None and fault.status is not None:
            await _send(send, self._error(fault, fault.status))
            return str(fault.status)
        if fault is not None and fault.garbage:
            await _send(send, Response(b"\x00\xffdata: {not json", media_type=self._type()))
            return "garbage"
        await (self._stream(send) if self._streams else self._at_once(send))
        return "answered"

    def _error(self, fault: Fault, status: int) -> Response:
        body = fault.body if isinstance(fault.body, dict) else self._wire.error(status, fault.body)
        wait = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
        return JSONResponse(body, status, wait)

    async def _at_once(self, send: Send) -> None:
        if self._rule.tokens_per_second is not None:
            await asyncio.sleep(self._given.output_tokens / self._rule.tokens_per_second)
        whole = JSONResponse(self._wire.whole(self._given))
        if self._given.mark is None:
            await _send(send, whole)
            return
        await send({"type": "http.response.start", "status": 200, "headers": whole.raw_headers})
        part = bytes(whole.body)[: min(self._given.mark, len(whole.body) - 1)]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await self._go_wrong()

    async def _stream(self, send: Send) -> None:
        headers = [(b"content-type", self._type().encode()), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        began = asyncio.get_running_loop().time()
        # an answer that is shorter than the mark goes wrong at its end: no fault goes by unseen
        mark = None if self._given.mark is None else min(self._given.mark, self._given.size)
        for sent, chunk in self._wire.chunks(self._given, self._asked_body):
            await self._pace(began, sent)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if mark is not None and sent >= mark:
                await self._go_wrong()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pace(self, began: float, sent: int) -> None:
        rate = self._rule.tokens_per_second
        due = began if rate is None else began + sent / CHARS_OF_A_TOKEN / rate
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    async def _go_wrong(self) -> None:
        if self._rule.fault is not None and self._rule.fault.cut_after is not None:
            raise CutError("scripted: the answer is cut")
        await asyncio.Event().wait()

    def _type(self) -> str:
        return "text/event-stream; charset=utf-8" if self._streams else "application/json"


async def _send(send: Send, response: Response) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


async def _gone(receive: Receive) -> None:
    with contextlib.suppress(ClientDisconnect):
        while (await receive())["type"] != "http.disconnect":
            pass
