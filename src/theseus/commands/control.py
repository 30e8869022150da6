"""`theseus status`, `pause`, `resume`, `cancel`, `watch`: a running task, seen and steered."""

import asyncio
import json
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta

from temporalio.client import WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError

from theseus.client import Handle, result_of, retried, status_of
from theseus.commands.deciding import gone
from theseus.commands.following import event_log, with_usage
from theseus.commands.showing import ending, line_of, state_lines
from theseus.commands.terminal import CANNOT_START, CommandError, client, out
from theseus.config import Settings
from theseus.contracts.control import (
    QUERY_CONTROL_STATE,
    QUERY_PENDING_APPROVALS,
    QUERY_PROGRESS,
    ControlReason,
    ControlState,
    PendingApproval,
    Progress,
)
from theseus.contracts.events import StoredEvent
from theseus.stores.ports import EventLog, StoreDownError

QUERY_TIMEOUT = timedelta(seconds=5)
RUNNING = WorkflowExecutionStatus.RUNNING
_LAST_EVENTS_SECONDS = 5.0


async def show_status(settings: Settings, task_id: str, *, as_json: bool) -> int:
    """Prints where a task is, or how it ended."""
    temporal = await client()
    handle: Handle = temporal.get_workflow_handle(task_id)
    if await status_of(handle) is not RUNNING:
        result = await with_usage(settings, await result_of(handle))
        out(result.model_dump_json() if as_json else f"{task_id}\n{ending(result)}\n{result.result}".rstrip())
        return 0
    progress, control, pending = await _ask(handle)
    failing = await retried(temporal, task_id)
    if as_json:
        state = {"progress": progress.model_dump(mode="json"), "control_state": control.model_dump(mode="json")}
        asked = [each.model_dump(mode="json") for each in pending]
        again = [asdict(each) for each in failing]
        out(json.dumps({"task_id": task_id, **state, "pending_approvals": asked, "retried": again}))
    else:
        out("\n".join(state_lines(task_id, progress, control, pending, failing)))
    return 0


async def send(task_id: str, signal: str, reason: str, done: str) -> int:
    """Sends a control signal and says what it does."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    try:
        await handle.signal(signal, ControlReason(reason=reason, requested_by="cli"))
    except RPCError as error:
        raise await gone(error, handle) from error
    out(f"{task_id} {done}")
    return 0


async def watch(settings: Settings, task_id: str, after: str, *, as_json: bool) -> int:
    """Prints a task's events after a stream id, until its end."""
    handle: Handle = (await client()).get_workflow_handle(task_id)
    running = await status_of(handle) is RUNNING
    async with event_log(settings) as log:
        reading = asyncio.create_task(_print_events(log, task_id, after, follow=running, as_json=as_json))
        ended = asyncio.create_task(_some_time_after_end(handle)) if running else None
        try:
            await asyncio.wait([reading, ended] if ended else [reading], return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        except StoreDownError as error:
            raise CommandError(str(error), CANNOT_START) from error
        except ValueError as error:
            raise CommandError(f"--from {after}: {error}", CANNOT_START) from error
        finally:
            for task in filter(None, (reading, ended)):
                task.cancel()
                with suppress(asyncio.CancelledError, StoreDownError, ValueError):
                    await task
    return 0


async def _print_events(log: EventLog, task_id: str, after: str, *, follow: bool, as_json: bool) -> None:
    async for stored in log.read(task_id, after, follow=follow):
        line = stored.model_dump_json() if as_json else _line(stored)
        if line is not None:
            out(line)


def _line(stored: StoredEvent) -> str | None:
    line = line_of(stored.event, answer=True)
    return None if line is None else f"{stored.stream_id:<18}{line}"


async def _some_time_after_end(handle: Handle) -> None:
    # an event log that lost the end must not keep a reader for ever
    await result_of(handle)
    await asyncio.sleep(_LAST_EVENTS_SECONDS)


async def _ask(handle: Handle) -> tuple[Progress, ControlState, list[PendingApproval]]:
    try:
        progress = await handle.query(QUERY_PROGRESS, result_type=Progress, rpc_timeout=QUERY_TIMEOUT)
        control = await handle.query(QUERY_CONTROL_STATE, result_type=ControlState, rpc_timeout=QUERY_TIMEOUT)
        pending = await handle.query(
            QUERY_PENDING_APPROVALS, result_type=list[PendingApproval], rpc_timeout=QUERY_TIMEOUT
        )
    except (RPCError, WorkflowQueryFailedError) as error:
        raise CommandError(
            f"task {handle.id} is running, but no worker answers for it ({error}); see `theseus doctor`"
        ) from error
    return progress, control, pending
