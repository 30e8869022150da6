"""Templates of texts: how many tasks a second one worker does, beside a bare workflow with one activity."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import Client

from benchmarks.rows import Row, bare

TASKS = 80
IN_FLIGHT = 8
LOTS = 3
"""Each side runs so many lots in turn, so that a busy machine is busy for both."""


async def rendering(client: Client) -> list[Row]:
    """Tasks a second, ours as a part of bare ones."""
    await _seconds(lambda: _briefing(client), IN_FLIGHT)
    await _seconds(lambda: bare(client, [0.0], 0), IN_FLIGHT)
    ours = theirs = 0.0
    for _ in range(LOTS):
        ours += await _seconds(lambda: _briefing(client), TASKS // LOTS)
        theirs += await _seconds(lambda: bare(client, [0.0], 0), TASKS // LOTS)
    count = TASKS // LOTS * LOTS
    words = f"{count / ours:.0f} tasks a second against {count / theirs:.0f} bare ones; six activities against one"
    return [Row("render-only task against bare, time of each", ours / theirs, 2.5, "x", words)]


async def _briefing(client: Client) -> Any:
    context = {
        "template": "weekly_briefing",
        "disable_ai": True,
        "prompt_params": {"week": "2025-W44", "highlights": ["a"]},
    }
    return await client.start_workflow(
        "TemplateWorkflow", {"query": "q", "context": context}, id=f"task-{uuid.uuid4()}", task_queue="theseus"
    )


async def _seconds(make: Callable[[], Awaitable[Any]], count: int) -> float:
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with room:
            await (await make()).result()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return time.perf_counter() - began
