"""A figure with its goal, and what is started to measure it."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client

CALL_SECONDS = 0.2
"""How long the model takes in the overhead rows: short for a model, so that overhead weighs much."""


@dataclass
class Row:
    """One figure with its goal."""

    name: str
    value: float
    goal: float | None
    unit: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its goal."""
        return self.goal is None or self.value <= self.goal


async def start(client: Client, queue: str = "theseus", **keys: Any) -> Any:
    """Starts a simple task without tools."""
    return await client.start_workflow(
        "SimpleWorkflow",
        {"query": "q", "context": {"role": keys.pop("role", "chat")}, **keys},
        id=f"task-{uuid.uuid4()}",
        task_queue=queue,
    )


async def bare(client: Client, activities: list[float], locals_: int) -> Any:
    """Starts the bare workflow."""
    return await client.start_workflow(
        "BareWorkflow", args=[activities, locals_], id=f"bare-{uuid.uuid4()}", task_queue="bare"
    )


async def latencies(make: Any, runs: int) -> list[float]:
    """Starts one after another; seconds until each has its result."""
    taken: list[float] = []
    for _ in range(runs):
        began = time.perf_counter()
        await (await make()).result()
        taken.append(time.perf_counter() - began)
    return taken
