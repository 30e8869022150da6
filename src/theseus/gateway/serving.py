"""Runs the gateway: settings -> Temporal, stores, archive -> uvicorn."""

import asyncio
import logging
import math
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import uvicorn

from theseus import runtime
from theseus.config import Settings
from theseus.gateway import keeping_up
from theseus.gateway.app import application
from theseus.gateway.backend import Backend
from theseus.gateway.callers import Authenticator, Everybody
from theseus.gateway.connections import IDLE, Connection, bound
from theseus.gateway.who.credentials import Credentials
from theseus.gateway.who.tokens import access_tokens
from theseus.stores.archive.opening import archive
from theseus.stores.archive.port import Archive
from theseus.stores.redis import (
    RedisAnswers,
    RedisArtifacts,
    RedisEvents,
    RedisMemory,
    RedisOffers,
    RedisRequests,
    RedisSessions,
    connect_redis,
)

_log = logging.getLogger("theseus.gateway")


class Server(uvicorn.Server):
    """uvicorn, whose open streams end when it shuts down: it would wait for their tasks."""

    def __init__(self, world: Backend) -> None:
        config = uvicorn.Config(
            application(world),
            log_config=None,
            access_log=False,
            http=Connection,
            ws="websockets-sansio",
            timeout_keep_alive=round(IDLE.total_seconds()),
            timeout_graceful_shutdown=math.ceil(world.settings.shutdown_grace.total_seconds()),
        )
        super().__init__(config)
        self._streams = world.streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Breaks streams off, so that their clients come back to the next gateway; all else is finished first."""
        logging.getLogger("uvicorn.error").addFilter(_is_meant)
        self._streams.stop()
        try:
            await super().shutdown(sockets)
        finally:
            logging.getLogger("uvicorn.error").removeFilter(_is_meant)


def _is_meant(line: logging.LogRecord) -> bool:
    return "returned without completing response" not in line.getMessage()


def authenticator(settings: Settings, kept: Archive) -> Authenticator:
    """Who is let in, by the settings."""
    return Everybody() if settings.skip_auth else Credentials(kept.accounts, access_tokens(settings))


@asynccontextmanager
async def backend(settings: Settings) -> AsyncGenerator[Backend]:
    """The world of the gateway by its settings.

    Raises:
        ConnectionError: no Temporal answers, or it does not have the namespace.
    """
    temporal = await runtime.connect(wait=timedelta(seconds=30))
    await runtime.require_namespace(temporal)
    # each task that is watched holds a connection: however many they are, those of all else stay free
    redis, watching = connect_redis(settings.redis_url), connect_redis(settings.redis_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(watching.aclose)
        kept = await stack.enter_async_context(archive(settings.archive_url))
        yield Backend(
            settings=settings,
            temporal=temporal,
            archive=kept,
            events=RedisEvents(watching, ttl=settings.event_ttl, cap=settings.event_cap),
            sessions=RedisSessions(redis, ttl=settings.session_ttl, cap=settings.session_messages),
            artifacts=RedisArtifacts(redis, ttl=settings.session_ttl),
            answers=RedisAnswers(redis),
            memory=RedisMemory(redis, ttl=settings.memory_ttl),
            requests=RedisRequests(redis),
            told=RedisOffers(redis),
            authenticator=authenticator(settings, kept),
        )


async def serve(settings: Settings, host: str, port: int, *, stop: asyncio.Event, grpc_port: int | None = None) -> None:
    """Serves HTTP, and gRPC where there is a port for it, until `stop` is set.

    Raises:
        ConnectionError: no Temporal answers, or it does not have the namespace.
        CatalogueError, ToolFileError: the file of models, or that of tenants' tools, is wrong.
        OSError: the port is taken.
    """
    async with AsyncExitStack() as stack:
        # first of all: who starts a second gateway is told at once
        sockets = [stack.enter_context(each) for each in bound(host, port)]
        world = await stack.enter_async_context(backend(settings))
        # files that are wrong are said now, not to the first who asks
        known, _ = len(world.models.all), world.offers
        await stack.enter_async_context(keeping_up.while_open(world.tasks, world.archive, world.events))
        if grpc_port is not None:
            # half a second of imports, and threads of its own, for who asks for it
            from theseus.gateway.rpc.server import listening

            taken = await stack.enter_async_context(listening(world, host, grpc_port))
            _log.info("gateway listens for gRPC at %s:%s", host, taken)
        server = Server(world)
        serving = asyncio.create_task(server.serve(sockets))
        stopping = asyncio.create_task(stop.wait())
        _log.info("gateway listens at http://%s:%s and serves %d models", host, port, known)
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving
