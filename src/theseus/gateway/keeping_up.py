"""Tasks whose end nobody could keep: a gateway looks after them by itself, a few at a time, the oldest first, round and round.

What Temporal does not know is left as it is: this gateway may be looking at another namespace than that of the task.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from temporalio.service import RPCError

from theseus.contracts.archive import TaskRecord
from theseus.gateway.tasks import Tasks
from theseus.stores.archive.port import Archive, ArchiveDownError
from theseus.stores.ports import EventLog

_log = logging.getLogger("theseus.gateway")

BATCH = 20
"""So many tasks are read from the archive at once."""
PAUSE = timedelta(seconds=0.25)
"""What lies between two questions to Temporal."""
REST = timedelta(minutes=1)
"""What lies between two rounds, and how long what is away is waited for."""
YOUNG = timedelta(minutes=1)
"""A task that began so short a time ago is left to its worker."""
OLD = timedelta(days=180)
"""Before so long no task began that Temporal still knows: 90 days of work and waiting, 90 days of retention."""


@asynccontextmanager
async def while_open(tasks: Tasks, archive: Archive, events: EventLog) -> AsyncGenerator[None]:
    """Keeps up while the context is open."""
    keeping = asyncio.create_task(_keep_up(tasks, archive, events))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep_up(tasks: Tasks, archive: Archive, events: EventLog) -> None:
    last: TaskRecord | None = None
    is_well = True
    while True:
        try:
            async for record in _open_after(last, archive, events):
                last = record
                await _brought_up(tasks, record)
                is_well = True
                await asyncio.sleep(PAUSE.total_seconds())
            # behind a task that met a fault, nothing more is no proof
            is_well = is_well or last is None
            last = None
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here ends no gateway, and passes
            # gone on with behind the task that met it: it may be a fault of that one alone
            if is_well:
                words = "tasks whose end is not kept cannot be looked after now, and are later: %s: %s"
                _log.warning(words, type(error).__name__, error)
            is_well = False
        await asyncio.sleep(REST.total_seconds())


async def _open_after(last: TaskRecord | None, archive: Archive, events: EventLog) -> AsyncGenerator[TaskRecord]:
    while True:
        now = datetime.now(UTC)
        found = await archive.unended(now - OLD, now - YOUNG, last, BATCH)
        if not found:
            return
        # without them a task would be kept without its events, and they may come back
        await events.end(found[0].task_id)
        for record in found:
            yield record
        last = found[-1]


async def _brought_up(tasks: Tasks, record: TaskRecord) -> None:
    try:
        await tasks.as_it_stands(record)
    except (RPCError, ArchiveDownError):
        raise
    except Exception as error:  # noqa: BLE001 - one task that cannot be read holds up no other
        _log.warning("the end of task %s cannot be kept: %s", record.task_id, error)
