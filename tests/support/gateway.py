"""The gateway over real HTTP, in front of a world: uvicorn on a free port, the archive on a SQLite file."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from starlette.requests import HTTPConnection

from tests.support.world import World
from theseus.gateway.backend import Backend
from theseus.gateway.callers import Authenticator, Caller, Everybody
from theseus.gateway.connections import bound
from theseus.gateway.refusals import Refusal
from theseus.gateway.serving import Server
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive
from theseus.stores.memory_answers import MemoryAnswers
from theseus.stores.memory_requests import MemoryRequests
from theseus.stores.ports import AnswerStore, RequestStore


@dataclass
class Gateway:
    """A gateway that answers, and what stands behind it."""

    url: str
    http: httpx.AsyncClient
    archive: Archive
    world: World
    backend: Backend


@asynccontextmanager
async def gateway(
    world: World,
    folder: Path,
    *,
    kept: Archive | None = None,
    authenticator: Authenticator | None = None,
    answers: AnswerStore | None = None,
    requests: RequestStore | None = None,
) -> AsyncGenerator[Gateway]:
    """Serves the world over HTTP while the context is open; the archive is that of the world, else one in the folder."""
    async with AsyncExitStack() as stack:
        kept = kept or world.stores.archive
        kept = kept or await stack.enter_async_context(archive(f"sqlite:///{folder / 'archive.db'}"))
        backend = Backend(
            settings=world.settings,
            temporal=world.client,
            archive=kept,
            events=world.stores.events,
            sessions=world.stores.sessions,
            artifacts=world.stores.artifacts,
            answers=answers or MemoryAnswers(),
            memory=world.stores.memory,
            requests=requests or MemoryRequests(),
            told=world.stores.offers,
            authenticator=authenticator or Everybody(),
        )
        address = await stack.enter_async_context(listening(backend))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))
        yield Gateway(address, http, kept, world, backend)


@asynccontextmanager
async def listening(backend: Backend) -> AsyncGenerator[str]:
    """uvicorn on a port of its own; gives the address."""
    (taken,) = bound("127.0.0.1", 0)
    with taken:
        server = Server(backend)
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


class Named:
    """Whoever calls says who they are: `X-API-Key: tenant/user`, with `!` at the end for an administrator."""

    async def caller(self, connection: HTTPConnection) -> Caller:
        """By the header.

        Raises:
            Refusal: 401, there is none.
        """
        tenant, _, user = connection.headers.get("X-API-Key", "").partition("/")
        if not user:
            raise Refusal(401, "Authentication required")
        return Caller(user.rstrip("!"), tenant, f"key-{user}", is_admin=user.endswith("!"))


@dataclass
class Troubled:
    """Whoever calls meets an error."""

    error: Exception

    async def caller(self, connection: HTTPConnection) -> Caller:
        raise self.error


@asynccontextmanager
async def people(door: Gateway, *names: str) -> AsyncGenerator[list[httpx.AsyncClient]]:
    """A client for each of these people, `tenant/user`, at a gateway that keeps them apart."""
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(listening(replace(door.backend, authenticator=Named())))
        clients = [httpx.AsyncClient(base_url=address, timeout=30, headers={"X-API-Key": name}) for name in names]
        yield [await stack.enter_async_context(client) for client in clients]
