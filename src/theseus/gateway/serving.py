"""Runs the gateway: settings -> Temporal, stores, archive -> uvicorn."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import uvicorn

from theseus import runtime
from theseus.config import Settings
from theseus.gateway.app import application
from theseus.gateway.backend import Backend
from theseus.gateway.callers import Everybody
from theseus.stores.archive.opening import archive
from theseus.stores.redis import RedisArtifacts, RedisEvents, RedisMemory, RedisSessions, connect_redis

_log = logging.getLogger("theseus.gateway")


@asynccontextmanager
async def backend(settings: Settings) -> AsyncGenerator[Backend]:
    """The world of the gateway by its settings.

    Raises:
        ConnectionError: no Temporal answers.
    """
    temporal = await runtime.connect(wait=timedelta(seconds=30))
    redis = connect_redis(settings.redis_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis.aclose)
        yield Backend(
            settings=settings,
            temporal=temporal,
            archive=await stack.enter_async_context(archive(settings.archive_url)),
            events=RedisEvents(redis, ttl=settings.event_ttl, cap=settings.event_cap),
            sessions=RedisSessions(redis, ttl=settings.session_ttl, cap=settings.session_messages),
            artifacts=RedisArtifacts(redis, ttl=settings.session_ttl),
            memory=RedisMemory(redis, ttl=settings.memory_ttl),
            authenticator=Everybody(),
        )


async def serve(settings: Settings, host: str, port: int, *, stop: asyncio.Event) -> None:
    """Serves HTTP until `stop` is set.

    Raises:
        ConnectionError: no Temporal answers.
        OSError: the port is taken.
    """
    async with backend(settings) as world:
        config = uvicorn.Config(
            application(world), host=host, port=port, log_config=None, access_log=False, ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        _log.info("gateway listens at http://%s:%s", host, port)
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving
