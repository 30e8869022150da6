"""The server of the scripted model: its routes, and its life in this process."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from theseus.activities.llm.scripted import anthropic_wire, openai_wire
from theseus.activities.llm.scripted.answers import answer
from theseus.activities.llm.scripted.logged import LoggedRequest, RequestLog
from theseus.activities.llm.scripted.playing import Playing, Wire
from theseus.activities.llm.scripted.script import Chooser, Player, Script, ScriptError, parse, read

_WIRES: Mapping[str, Wire] = {"/v1/chat/completions": openai_wire, "/v1/messages": anthropic_wire}


class ScriptedModel:
    """A running server, for tests and tools in the same process."""

    def __init__(self, script: Script, log: Path | None = None) -> None:
        """`log` gets every request as it ends.

        Raises:
            OSError: the log cannot be written.
        """
        self.url = ""
        self.stopping = False
        self._player: Chooser = Player(script)
        self._log = RequestLog(log)

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL is set to."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """What ANTHROPIC_BASE_URL is set to."""
        return self.url

    @property
    def requests(self) -> list[LoggedRequest]:
        """What was asked so far, in order; those under way among them."""
        return self._log.requests

    def replace(self, script: Script | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Plays another script, or list of rules, from now on; answers under way go on as they began.

        Raises:
            ScriptError: it is wrong.
        """
        self._player = Player(script if isinstance(script, Script) else parse(script))

    def play(self, chooser: Chooser) -> None:
        """Lets a program choose each answer from now on, for conversations that no list of rules can follow."""
        self._player = chooser

    def clear(self) -> None:
        """Forgets the logged requests."""
        self.requests.clear()

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
        raw = await request.body()
        body = _object(raw)
        logged = self._log.begin(request.method, request.url.path, dict(request.headers), body or {})
        try:
            if body is None:
                raise ValueError("it is not a JSON object")
            asked = wire.asked(body)
            rule, reply = self._player.choose(asked)
            given = answer(logged.number, asked, rule, reply)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._log.end(logged, "400")
            words = str(error) if isinstance(error, ValueError) else repr(error)
            return JSONResponse(wire.error(400, f"the request cannot be read: {words}"), 400)
        return Playing(wire, body, rule, given, lambda outcome: self._ended(logged, outcome))

    def _ended(self, logged: LoggedRequest, outcome: str) -> None:
        left = "stopped" if self.stopping else "client closed"
        self._log.end(logged, left if outcome == "left" else outcome)

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "theseus"}]})

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.clear()
        return JSONResponse([logged.as_json() for logged in self.requests])

    async def _script(self, request: Request) -> Response:
        try:
            self.replace(read(await request.body()))
        except ScriptError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"status": "replaced"})


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return cast(dict[str, Any], body) if isinstance(body, dict) else None


@asynccontextmanager
async def running(
    script: Script, *, host: str = "127.0.0.1", port: int = 0, log: Path | None = None
) -> AsyncGenerator[ScriptedModel, None]:
    """Runs the server while the context is open; port 0 takes a free one. At its end open answers are cut.

    Raises:
        ConnectionError: the address cannot be taken.
        OSError: the log cannot be written.
    """
    model = ScriptedModel(script, log)
    # without a log_config uvicorn leaves the logging of this process alone
    config = uvicorn.Config(
        model.app(),
        host=host,
        port=port,
        log_config=None,
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
        model.stopping = True
        server.hang_up()
        await task
        listener.close()


def _bound(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's delay off only where the protocol is named
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConnectionError(f"the scripted model cannot listen at {host}:{port}: {error.strerror}") from error
    return listener


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs it, and stops without waiting for open answers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    def hang_up(self) -> None:
        """Ends at once; clients see their connections reset."""
        self.should_exit = True
        for listening in self.servers:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def serve(script: Script, *, host: str, port: int, log: Path | None = None) -> None:
    """Runs the server until it is cancelled.

    Raises:
        ConnectionError: the address cannot be taken.
        OSError: the log cannot be written.
    """
    async with running(script, host=host, port=port, log=log):
        await asyncio.Event().wait()
