"""Several things at once: all end before this does, also when one fails or the whole is cancelled."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from temporalio import workflow

T = TypeVar("T")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Their results, in the order given. The first failure cancels the rest and is raised when they have ended."""
    tasks = [asyncio.create_task(work) for work in works]
    if not tasks:
        return []
    try:
        await workflow.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await stopped(tasks)
    return [task.result() for task in tasks]


async def first_done(tasks: Sequence[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Waits until one has ended; gives all that have, in the order given."""
    done, _ = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return [task for task in tasks if task in done]


async def stopped(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels those that still run and waits until they have ended, whatever they end with."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    while any(not task.done() for task in running):
        try:
            await workflow.wait(running)
        except asyncio.CancelledError:
            continue
    for task in running:
        if not task.cancelled():
            _ = task.exception()
