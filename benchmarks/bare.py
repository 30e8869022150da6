"""The bare Temporal workflow that Theseus is measured against: as many activities, nothing else."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn(name="bare.work")
async def work(seconds: float) -> str:
    """Takes as long as it is told, as a model call does."""
    if seconds:
        await asyncio.sleep(seconds)
    return "done"


@activity.defn(name="bare.local")
async def note(what: str) -> None:
    """A local activity that does nothing."""


@workflow.defn(name="BareWorkflow")
class BareWorkflow:
    """Runs the same number of activities and local activities, one after another."""

    @workflow.run
    async def run(self, activities: list[float], locals_: int, stays: bool = False) -> str:
        """Runs them; one that stays never ends."""
        for _ in range(locals_):
            await workflow.execute_local_activity(note, "x", start_to_close_timeout=timedelta(seconds=10))
        for seconds in activities:
            await workflow.execute_activity(work, seconds, start_to_close_timeout=timedelta(seconds=60))
        await workflow.wait_condition(lambda: not stays)
        return "done"


@workflow.defn(name="BareParent")
class BareParent:
    """As many children as a team has agents, between two activities of its own."""

    @workflow.run
    async def run(self, seconds: float, children: int) -> str:
        """Runs them."""
        limit = timedelta(seconds=60)
        await workflow.execute_activity(work, seconds, start_to_close_timeout=limit)
        name = workflow.info().workflow_id
        runs = [
            workflow.execute_child_workflow(BareWorkflow.run, args=[[seconds], 2, False], id=f"{name}/{n}")
            for n in range(children)
        ]
        await asyncio.gather(*runs)
        await workflow.execute_activity(work, seconds, start_to_close_timeout=limit)
        return await workflow.execute_activity(work, 0.0, start_to_close_timeout=limit)
