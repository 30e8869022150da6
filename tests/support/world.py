"""A whole world in one process: Temporal, memory stores, the scripted model over HTTP, a worker with the real wiring."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from theseus import worker
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.activities.tools.egress import Resolve
from theseus.activities.tools.registry import Tool
from theseus.config import Settings
from theseus.contracts.control import WORKFLOW_OF_MODE
from theseus.contracts.events import StoredEvent
from theseus.contracts.task import Mode, TaskResult
from theseus.stores.archive.port import Archive
from theseus.stores.memory import (
    MemoryArtifacts,
    MemoryBrowsers,
    MemoryEvidence,
    MemoryMemory,
    MemoryRates,
    MemorySessions,
    MemoryTranscripts,
)
from theseus.stores.memory_events import MemoryEvents
from theseus.stores.memory_offers import MemoryOffers

Handle = WorkflowHandle[Any, Any]


def memory_stores() -> worker.Stores:
    """Fresh stores in memory."""
    return worker.Stores(
        sessions=MemorySessions(),
        transcripts=MemoryTranscripts(),
        artifacts=MemoryArtifacts(),
        events=MemoryEvents(),
        rates=MemoryRates(),
        evidence=MemoryEvidence(),
        browsers=MemoryBrowsers(),
        memory=MemoryMemory(),
        offers=MemoryOffers(),
    )


@dataclass
class World:
    """What a test can do: start tasks and look at what came of them."""

    client: Client
    model: ScriptedModel
    stores: worker.Stores
    settings: Settings
    environ: Mapping[str, str]
    tools: Sequence[Tool] = ()
    resolve: Resolve | None = None

    async def start(
        self, query: str = "hello", *, workflow: str | None = None, task_id: str | None = None, **keys: Any
    ) -> Handle:
        """Starts a task by the name of its workflow, as any gateway would."""
        task_id = task_id or f"task-{uuid.uuid4()}"
        return await self.client.start_workflow(
            workflow or WORKFLOW_OF_MODE[Mode.SIMPLE],
            {"query": query, **keys},
            id=task_id,
            task_queue=self.settings.task_queue,
        )

    async def result(self, handle: Handle) -> TaskResult:
        """The task's result, also when it failed."""
        try:
            return TaskResult.model_validate(await asyncio.wait_for(handle.result(), 100))
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ApplicationError), error.cause
            return TaskResult.model_validate(error.cause.details[0])

    async def run(self, query: str = "hello", **keys: Any) -> TaskResult:
        """Starts a task and waits for it."""
        return await self.result(await self.start(query, **keys))

    async def events(self, task_id: str) -> list[StoredEvent]:
        """All events of a task so far."""
        return [event async for event in self.stores.events.read(task_id, follow=False)]

    @asynccontextmanager
    async def worker(self) -> AsyncGenerator[None, None]:
        """A worker, while the context is open."""
        async with worker.working(self.client, self.settings, self.stores, self.environ, self.tools, self.resolve):
            yield


@asynccontextmanager
async def world(
    client: Client,
    model: ScriptedModel,
    folder: Path,
    *,
    work: bool = True,
    resolve: Resolve | None = None,
    archive: Archive | None = None,
    **settings: Any,
) -> AsyncGenerator[World, None]:
    """A world on a task queue of its own; with a worker, unless the test starts its own. No key is limited, unless it says so."""
    known: dict[str, Any] = {"rate_limit": 0, **settings}
    made = World(
        client=client,
        model=model,
        stores=replace(memory_stores(), archive=archive),
        settings=Settings(task_queue=f"test-{uuid.uuid4()}", data_dir=folder, **known),
        environ={"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": f"{model.base_url}"},
        resolve=resolve,
    )
    if not work:
        yield made
        return
    async with made.worker():
        yield made


async def history(handle: Handle) -> list[HistoryEvent]:
    """All history events of a task."""
    return list((await handle.fetch_history()).events)


def activities_of(events: list[HistoryEvent]) -> list[str]:
    """Names of the activities that were scheduled, in order."""
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]


async def until(check: Any, seconds: float = 15) -> None:
    """Waits until an async check holds."""
    for _ in range(int(seconds / 0.05)):
        if await check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"did not hold within {seconds} s")
