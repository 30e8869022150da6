"""Following a task: its events from Redis while it runs, its result from Temporal."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from theseus.client import Handle, result_of
from theseus.commands.terminal import say
from theseus.config import Settings
from theseus.contracts.events import StoredEvent, StreamEnd
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.stores.ports import EventLog, StoreDownError
from theseus.stores.redis import RedisEvents, connect_redis

LAST_EVENTS_SECONDS = 2.0
"""How long the last events may come after the result."""

CANCEL_AGAIN_SECONDS = 0.5

Show = Callable[[StoredEvent], None]


@asynccontextmanager
async def event_log(settings: Settings) -> AsyncGenerator[EventLog]:
    """The event log on the Redis of the settings."""
    redis = connect_redis(settings.redis_url)
    try:
        yield RedisEvents(redis, ttl=settings.event_ttl, cap=settings.event_cap)
    finally:
        await redis.aclose()


async def follow(settings: Settings, handle: Handle, show: Show, after: str = "0") -> TaskResult:
    """Shows a task's events until it ends, and gives its result. Without Redis it waits for the result alone."""
    last: list[StoredEvent] = []

    async def read() -> None:
        async with event_log(settings) as log:
            async for stored in log.read(handle.id, after):
                last[:] = [stored]
                show(stored)

    reading = asyncio.create_task(_reading(read))
    try:
        result = await result_of(handle)
        await asyncio.wait([reading], timeout=LAST_EVENTS_SECONDS)
    finally:
        await stopped(reading)
    return _counted(result, last[0] if last else None)


async def stopped(task: asyncio.Task[Any]) -> None:
    """Cancels a task until it has ended: a wait that ends in the same moment may take a cancellation as its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=CANCEL_AGAIN_SECONDS)
    with suppress(asyncio.CancelledError):
        task.result()


async def with_usage(settings: Settings, result: TaskResult) -> TaskResult:
    """A cancelled task's result with all that its last event says it cost, where Redis still has it."""
    if result.status is not TaskStatus.CANCELLED:
        return result
    last: StoredEvent | None = None
    with suppress(StoreDownError):
        async with event_log(settings) as log:
            async for stored in log.read(result.task_id, follow=False):
                last = stored
    return _counted(result, last)


async def _reading(read: Callable[[], Awaitable[None]]) -> None:
    try:
        await read()
    except StoreDownError as error:
        say(f"  no live progress: {error}")


def _counted(result: TaskResult, last: StoredEvent | None) -> TaskResult:
    # Temporal keeps no result of a cancelled task; its last event says what it cost
    if result.status is not TaskStatus.CANCELLED or last is None or not isinstance(last.event, StreamEnd):
        return result
    return result.model_copy(update={"usage": last.event.payload.usage})
