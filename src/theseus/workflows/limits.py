"""Work within its limits: the wall clock, which stands still while people hold the task, and the wish to cancel."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

from theseus.contracts.errors import TimedOut
from theseus.workflows import steps
from theseus.workflows.run import Run
from theseus.workflows.together import stop

T = TypeVar("T")


class Hold:
    """Where to look for whether people hold the task: `is_held` is asked again and again."""

    def __init__(self, is_held: Callable[[], bool]) -> None:
        self.is_held = is_held


async def within_limits(
    work: Coroutine[Any, Any, T],
    run: Callable[[], Run | None],
    hold: Hold,
    cancelled: Coroutine[Any, Any, None],
) -> T:
    """Does the work; stops it when the wall clock runs out or somebody cancels. `run` gives the run once it is open.

    Raises:
        TimedOut: the clock ran out first.
        asyncio.CancelledError: it was cancelled first.
    """
    body = asyncio.create_task(work)
    deadline = asyncio.create_task(_deadline(run, hold))
    cancel = asyncio.create_task(cancelled)
    with contextlib.suppress(asyncio.CancelledError):
        await workflow.wait([body, deadline, cancel], return_when=asyncio.FIRST_COMPLETED)
    late = deadline.done() and not body.done()
    deadline.cancel()
    cancel.cancel()
    if body.done():
        return body.result()
    stop(body)
    await undisturbed(_ended(body))
    if late and (open_run := run()) is not None and not steps.is_cancel_requested():
        raise TimedOut(open_run.limit_in_words())
    raise asyncio.CancelledError


async def unless_cancelled(work: Coroutine[Any, Any, None], cancelled: Coroutine[Any, Any, None]) -> None:
    """Does the work; stops it when somebody cancels.

    Raises:
        asyncio.CancelledError: it was cancelled first.
    """
    body, cancel = asyncio.create_task(work), asyncio.create_task(cancelled)
    with contextlib.suppress(asyncio.CancelledError):
        await workflow.wait([body, cancel], return_when=asyncio.FIRST_COMPLETED)
    cancel.cancel()
    if body.done():
        body.result()
        return
    stop(body)
    await undisturbed(_ended(body))
    raise asyncio.CancelledError


async def undisturbed(work: Coroutine[object, object, T]) -> T:
    """Finishes `work` though the task is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await workflow.wait([task])
        except asyncio.CancelledError:
            continue
    return task.result()


async def _deadline(opened: Callable[[], Run | None], hold: Hold) -> None:
    await workflow.wait_condition(lambda: opened() is not None)
    while (run := opened()) is not None:
        left = max(run.deadline - steps.now(), timedelta())
        try:
            await workflow.wait_condition(hold.is_held, timeout=left, timeout_summary="wall-clock limit")
        except TimeoutError:
            return
        held = steps.now()
        await workflow.wait_condition(lambda: not hold.is_held())
        run.deadline += steps.now() - held


async def _ended(body: asyncio.Task[Any]) -> None:
    await workflow.wait([body])
    if not body.cancelled() and (error := body.exception()) is not None:
        workflow.logger.info("the work ended with %s while it was stopped", type(error).__name__)
