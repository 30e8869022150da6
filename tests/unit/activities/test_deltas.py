"""Deltas never get in the way of a call, and an event log that is away is told once a call, not once a delta."""

import asyncio
import logging
from datetime import timedelta

import pytest

from theseus.activities.llm.deltas import FLUSH_EVERY, Deltas
from theseus.stores.redis import RedisEvents, connect_redis


async def test_what_is_lost_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    redis = connect_redis("redis://127.0.0.1:1/0")
    deltas = Deltas(
        RedisEvents(redis, ttl=timedelta(hours=1), cap=100), task_id="task", agent="agent", step=1, attempt=1
    )
    with caplog.at_level(logging.WARNING, "theseus"):
        for piece in ("once ", "upon ", "a time"):
            deltas.add(piece)
            await asyncio.sleep(2 * FLUSH_EVERY.total_seconds())
        await deltas.close()
    await redis.aclose()
    assert len(caplog.messages) == 1 and "Redis at 127.0.0.1:1 cannot be used now" in caplog.text
