"""The worker process of the benchmarks: the product's own wiring, with the bare workflow beside it."""

import asyncio
import sys

from temporalio.worker import Worker

from benchmarks.bare import BareParent, BareWorkflow, note, work
from theseus import runtime, worker
from theseus.config import Settings, environment


async def _bare() -> None:
    client = await runtime.connect()
    async with Worker(
        client,
        task_queue="bare",
        workflows=[BareWorkflow, BareParent],
        activities=[work, note],
        workflow_task_poller_behavior=worker.POLLERS,
        activity_task_poller_behavior=worker.POLLERS,
    ):
        await asyncio.Event().wait()


async def _theseus() -> None:
    settings = Settings()
    client = await runtime.connect()
    async with worker.redis_stores(settings) as stores, worker.working(client, settings, stores, environment()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_bare() if sys.argv[1] == "bare" else _theseus())
