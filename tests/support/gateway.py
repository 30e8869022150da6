"""The gateway over real HTTP, in front of a world: uvicorn on a free port, the archive on a SQLite file."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from tests.support.world import World
from theseus.gateway.app import application
from theseus.gateway.backend import Backend
from theseus.gateway.callers import Authenticator, Everybody
from theseus.gateway.serving import Server
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive


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
    world: World, folder: Path, *, kept: Archive | None = None, authenticator: Authenticator | None = None
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
            memory=world.stores.memory,
            authenticator=authenticator or Everybody(),
        )
        address = await stack.enter_async_context(listening(backend))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))
        yield Gateway(address, http, kept, world, backend)


@asynccontextmanager
async def listening(backend: Backend) -> AsyncGenerator[str]:
    """uvicorn on a port of its own; gives the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = Server(
            backend, uvicorn.Config(application(backend), log_config=None, access_log=False, ws="websockets-sansio")
        )
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
