"""Several things at once: all end before this does, also when one fails or the whole is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Self, TypeVar
from weakref import WeakSet

from temporalio import workflow

T = TypeVar("T")

_stopping: WeakSet[asyncio.Task[Any]] = WeakSet()
"""Tasks that were asked to stop. Temporal's SDK takes the mark off a task whose signal or child cannot be cancelled."""


class Scope:
    """The tasks that `running` gives at the end of an `async with` block do not outlive it, whatever it ends with."""

    def __init__(self, running: Callable[[], Iterable[asyncio.Task[Any]]]) -> None:
        self._running = running

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # a workflow that is thrown away with its worker is closed by the garbage collector, outside of any event loop
        if kind is not GeneratorExit:
            await stopped(self._running())


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Their results, in the order given. The first failure cancels the rest and is raised when they have ended."""
    tasks = [asyncio.create_task(work) for work in works]
    if not tasks:
        return []
    async with Scope(lambda: tasks):
        await workflow.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    return [task.result() for task in tasks]


async def first_done(tasks: Sequence[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Waits until one has ended; gives all that have, in the order given."""
    done, _ = await workflow.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return [task for task in tasks if task in done]


async def stopped(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels those that still run and waits until they have ended, whatever they end with.

    Raises:
        asyncio.CancelledError: the one who waits was cancelled meanwhile; they have ended all the same.
    """
    running = [task for task in tasks if not task.done()]
    for task in running:
        stop(task)
    was_cancelled = False
    while any(not task.done() for task in running):
        try:
            await workflow.wait(running)
        except asyncio.CancelledError:
            was_cancelled = True
    for task in running:
        if not task.cancelled():
            _ = task.exception()
    if was_cancelled:
        raise asyncio.CancelledError


def stop(task: asyncio.Task[Any]) -> None:
    """Asks a task to stop."""
    _stopping.add(task)
    task.cancel()


def is_stopping() -> bool:
    """Whether the work that asks this was asked to stop."""
    return asyncio.current_task() in _stopping


def give_way() -> None:
    """Stops the work that was asked to stop, though what it waited for came all the same.

    A signal, a child or a call that cannot be taken back any more swallows the cancellation of the one who waits.

    Raises:
        asyncio.CancelledError: it was asked to.
    """
    if is_stopping():
        raise asyncio.CancelledError
