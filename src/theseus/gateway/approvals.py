"""What waits for a person's yes, over all tasks of a user."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio.service import RPCError

from theseus.client import is_unknown
from theseus.contracts.archive import TaskRecord
from theseus.contracts.control import PendingApproval
from theseus.gateway import steering
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.tasks import AT_ONCE, Tasks
from theseus.stores.archive.port import Ended, Page, TaskFilter

MOST_ASKED = 100
"""So many open tasks, the newest, are asked."""
LISTENING = timedelta(seconds=3)
"""How long each of them may take: where all workers are away, the caller still waits."""


async def waiting(tasks: Tasks, wanted: TaskFilter, caller: Caller) -> list[tuple[TaskRecord, PendingApproval]]:
    """The approvals that open tasks wait for, those of the newest task first.

    A task whose worker does not answer within `LISTENING` tells of none.

    Raises:
        RPCError: Temporal does not answer.
    """
    found, _ = await tasks.listed(replace(wanted, ended=Ended.OPEN), Page(MOST_ASKED))
    room = asyncio.Semaphore(AT_ONCE)

    async def asked(record: TaskRecord) -> list[tuple[TaskRecord, PendingApproval]]:
        async with room:
            return [(record, pending) for pending in await _pending(tasks, record, caller)]

    # what has ended since, or is about to start, waits for nothing
    running = [each.record for each in found if each.record.outcome is None and each.is_started]
    return [pair for pairs in await asyncio.gather(*map(asked, running)) for pair in pairs]


async def _pending(tasks: Tasks, record: TaskRecord, caller: Caller) -> list[PendingApproval]:
    try:
        async with asyncio.timeout(LISTENING.total_seconds()):
            return await steering.pending_approvals(await tasks.handle(record.task_id, caller))
    except (Refusal, TimeoutError):
        return []
    except RPCError as error:
        if not is_unknown(error):
            raise
        return []
