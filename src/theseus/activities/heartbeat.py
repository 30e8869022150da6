"""Heartbeats of activities that wait on the network: by them a cancel arrives and a dead worker is noticed."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity

BEAT = timedelta(seconds=0.5)


@asynccontextmanager
async def heartbeating(
    interval: timedelta = BEAT, details: Callable[[], Sequence[Any]] = tuple[Any, ...]
) -> AsyncGenerator[None, None]:
    """Beats in the background while the context is open; the SDK decides how many of the beats travel.

    `details` gives what the next attempt finds in its `heartbeat_details`.
    """

    async def beat() -> None:
        while True:
            activity.heartbeat(*details())
            await asyncio.sleep(interval.total_seconds())

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
