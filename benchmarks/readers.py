"""The gateway: how soon an event that a worker tells comes to 200 readers on 20 tasks."""

import statistics
from collections.abc import Mapping

import httpx
from redis.asyncio import Redis

from benchmarks.rows import Row
from benchmarks.submits import TASK, serving
from tests.support.crowd import TASKS, crowd
from theseus.config import Settings
from theseus.stores.redis import RedisEvents


async def readers(redis: Redis, environ: Mapping[str, str]) -> list[Row]:
    """The 95th percentile over all events and readers; all that was told has come to each."""
    settings = Settings()
    events = RedisEvents(redis, ttl=settings.event_ttl, cap=settings.event_cap)
    async with serving(environ) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:
        answers = [(await http.post("/api/v1/tasks", json=TASK)).raise_for_status() for _ in range(TASKS)]
        crowded = await crowd(url, events, [answer.json()["task_id"] for answer in answers])
    late = sorted(ms for reader in crowded for ms in reader.late_ms)
    note = f"median {statistics.median(late):.0f} ms, {len(crowded)} readers on {TASKS} tasks"
    return [Row("event to readers over HTTP, p95", late[len(late) * 95 // 100], 150, "ms", note)]
