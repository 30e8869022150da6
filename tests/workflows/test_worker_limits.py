"""A worker takes no more work than it was told to: what waits stays with Temporal, where other workers may take it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from tests.support.world import until, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.contracts.events import Event
from theseus.contracts.task import TaskStatus
from theseus.stores.memory_events import MemoryEvents

AT_ONCE, TASKS = 2, 6


class Held(MemoryEvents):
    """Takes events when it is let; a workflow task that tells of something lasts until then."""

    def __init__(self) -> None:
        super().__init__()
        self.let, self.waiting = asyncio.Event(), set[str]()

    async def publish(self, task_id: str, events: Sequence[Event]) -> None:
        self.waiting.add(task_id)
        await self.let.wait()
        await super().publish(task_id, events)


async def test_so_many_workflow_tasks_are_worked_on_at_once(
    temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path
) -> None:
    held = Held()
    async with world(temporal.client, model, tmp_path, work=False, max_workflow_tasks=AT_ONCE) as there:
        there.stores = replace(there.stores, events=held)
        handles = [await there.start(f"task {number}") for number in range(TASKS)]
        async with there.worker():

            async def is_full() -> bool:
                return len(held.waiting) == AT_ONCE

            await until(is_full)
            await asyncio.sleep(1)
            assert await is_full()
            held.let.set()
            results = await asyncio.gather(*(there.result(handle) for handle in handles))
    assert {result.status for result in results} == {TaskStatus.COMPLETED}
