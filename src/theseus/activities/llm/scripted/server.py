"""The server: matches, waits, answers, fails, and logs each request."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from theseus.activities.llm.scripted import anthropic_wire, openai_wire
from theseus.activities.llm.scripted.answers import Given, answer
from theseus.activities.llm.scripted.script import Asked, Fault, Player, Rule, Script, ScriptError, parse

_WIRES: dict[str, ModuleType] = {"/v1/chat/completions": openai_wire, "/v1/messages": anthropic_wire}


@dataclass
class LoggedRequest:
    """One request as the server saw it; times are seconds since the epoch."""

    path: str
    model: str
    body: dict[str, Any]
    headers: dict[str, str]
    started_at: float
    ended_at: float | None = None
    outcome: str = "open"
    client_closed_at: float | None = None


class CutError(Exception):
    """Ends a response in the middle, so that the socket closes."""


class ScriptedModel:
    """A running server, for tests and tools in the same process."""

    def __init__(self, script: Script) -> None:
        self.requests: list[LoggedRequest] = []
        self.url = ""
        self._player = Player(script)
        self._log: Path | None = None

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """What ANTHROPIC_BASE_URL is set to."""
        return self.url

    def replace(self, script: Script | Mapping[str, Any]) -> None:
        """Plays another script from now on.

        Raises:
            ScriptError: it is wrong.
        """
        self._player = Player(script if isinstance(script, Script) else parse(script))

    def clear(self) -> None:
        """Forgets the logged requests."""
        self.requests.clear()

    def log_to(self, path: Path | None) -> None:
        """Appends each finished request to a file, one JSON object a line."""
        self._log = path

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                *(Route(path, self._complete, methods=["POST"]) for path in _WIRES),
                Route("/v1/models", self._models),
                Route("/health", self._health),
                Route("/requests", self._requests, methods=["GET", "DELETE"]),
                Route("/script", self._script, methods=["PUT"]),
            ]
        )

    async def _complete(self, request: Request) -> Response:
        wire = _WIRES[request.url.path]
        try:
            body = json.loads(await request.body())
            asked: Asked = wire.asked(body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse(wire.error(400, f"the request cannot be read: {error!r}"), 400)
        logged = LoggedRequest(
            path=request.url.path,
            model=asked.model,
            body=body,
            headers={
                name: value for name, value in request.headers.items() if name not in ("authorization", "x-api-key")
            },
            started_at=time.time(),
        )
        self.requests.append(logged)
        rule, reply = self._player.choose(asked)
        given = answer(len(self.requests), asked, rule, reply)
        return _Scripted(self, logged, wire, rule, given, asked)

    def finished(self, logged: LoggedRequest, outcome: str) -> None:
        """Closes a request's entry in the log."""
        logged.ended_at, logged.outcome = time.time(), outcome
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(json.dumps(asdict(logged)) + "\n")

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "theseus"}]})

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.clear()
        return JSONResponse([asdict(logged) for logged in self.requests])

    async def _script(self, request: Request) -> Response:
        try:
            self.replace(parse(json.loads(await request.body())))
        except (ScriptError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"status": "replaced"})


class _Scripted(Response):
    """One scripted answer, watched for the client going away."""

    def __init__(
        self, model: ScriptedModel, logged: LoggedRequest, wire: ModuleType, rule: Rule, given: Given, asked: Asked
    ) -> None:
        super().__init__()
        self._model = model
        self._logged = logged
        self._wire = wire
        self._rule = rule
        self._given = given
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        work = asyncio.create_task(self._answer(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait([work, gone], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._logged.client_closed_at = time.time()
                self._model.finished(self._logged, "client closed")
                return
            self._model.finished(self._logged, work.result())
        except CutError:
            self._model.finished(self._logged, "cut")
            raise
        finally:
            for task in (work, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, CutError, OSError):
                    await task

    async def _answer(self, send: Send) -> str:
        fault = self._rule.fault or Fault()
        await asyncio.sleep(self._rule.latency)
        if fault.hang:
            await asyncio.Event().wait()
        if fault.status is not None:
            await _send(send, JSONResponse(self._wire.error(fault.status, fault.body), fault.status, _retry(fault)))
            return str(fault.status)
        if fault.garbage:
            await _send(send, Response(b"\x00\xffdata: {not json", 200, media_type=self._type()))
            return "garbage"
        if not self._asked.stream and fault.cut_after is None and fault.hang_after is None:
            await _send(send, JSONResponse(self._wire.whole(self._given)))
            return "answered"
        await self._stream(send, fault)
        return "answered"

    async def _stream(self, send: Send, fault: Fault) -> None:
        headers = [(b"content-type", self._type().encode()), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for chunk in self._chunks(fault):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _chunks(self, fault: Fault) -> AsyncIterator[bytes]:
        pace = 1 / self._rule.tokens_per_second if self._rule.tokens_per_second else 0
        for sent, chunk in self._wire.chunks(self._given, self._logged.body):
            yield chunk
            if fault.cut_after is not None and sent >= fault.cut_after:
                raise CutError("scripted: the stream is cut")
            if fault.hang_after is not None and sent >= fault.hang_after:
                await asyncio.Event().wait()
            await asyncio.sleep(pace)

    def _type(self) -> str:
        return "text/event-stream; charset=utf-8" if self._asked.stream else "application/json"


def _retry(fault: Fault) -> dict[str, str]:
    return {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}


async def _send(send: Send, response: Response) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


async def _gone(receive: Receive) -> None:
    with contextlib.suppress(ClientDisconnect):
        while (await receive())["type"] != "http.disconnect":
            pass


@asynccontextmanager
async def running(
    script: Script, *, host: str = "127.0.0.1", port: int = 0, log: Path | None = None
) -> AsyncGenerator[ScriptedModel, None]:
    """Runs the server while the context is open; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    model = ScriptedModel(script)
    model.log_to(log)
    config = uvicorn.Config(
        model.app(),
        host=host,
        port=port,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=1,
        access_log=False,
    )
    listener = _bound(host, port)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells of its start by this flag alone
            await asyncio.sleep(0.005)
        model.url = f"http://{host}:{listener.getsockname()[1]}"
        yield model
    finally:
        server.should_exit = True
        server.force_exit = True
        await task
        listener.close()


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def serve(script: Script, *, host: str, port: int, log: Path | None = None) -> None:
    """Runs the server until it is cancelled.

    Raises:
        OSError: the port is taken.
    """
    async with running(script, host=host, port=port, log=log):
        await asyncio.Event().wait()
