"""A task's own milestones: collected in order, published in batches, each with an identity of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

from theseus.contracts.events import Event
from theseus.workflows import steps


class Milestones:
    """What a workflow tells the world. An event log that is down delays what is told; the next flush tries again."""

    def __init__(self) -> None:
        self._waiting: list[Event] = []
        self._told = 0
        self._task_id = ""
        self._agent = ""
        self._busy = asyncio.Lock()

    def of_agent(self, task_id: str, agent: str, told: int) -> None:
        """These are the milestones of an agent of that task, which has told so many before."""
        self._task_id, self._agent, self._told = task_id, agent, told

    @property
    def told(self) -> int:
        """How many events were told so far."""
        return self._told

    def tell(self, kind: Callable[..., Event], **fields: Any) -> None:
        """Notes an event of this kind; it goes out with the next flush."""
        self._told += 1
        key = f"{self._agent}:w:{self._told}" if self._agent else f"w:{self._told}"
        fields = {"agent_id": self._agent, **fields}
        self._waiting.append(
            kind(workflow_id=self._task_id or steps.task_id(), timestamp=steps.now(), key=key, **fields)
        )

    def pass_on(self, event: Event) -> None:
        """Takes an event that an activity could not publish; it goes out with the next flush."""
        self._waiting.append(event)

    async def flush(self) -> None:
        """Publishes what waits."""
        async with self._busy:
            batch = list(self._waiting)
            if batch and await steps.publish(batch):
                del self._waiting[: len(batch)]

    async def close(self) -> None:
        """Publishes what waits, for the last time."""
        async with self._busy:
            if self._waiting:
                await steps.publish_last(self._waiting)
                self._waiting.clear()
