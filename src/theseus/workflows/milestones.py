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
        self._busy = asyncio.Lock()

    def tell(self, kind: Callable[..., Event], **fields: Any) -> None:
        """Notes an event of this kind; it goes out with the next flush."""
        self._told += 1
        self._waiting.append(kind(workflow_id=steps.task_id(), timestamp=steps.now(), key=f"w:{self._told}", **fields))

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
