"""Readers of streams over real HTTP, and tasks whose events a test writes itself."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.support.gateway import Gateway
from theseus.contracts.archive import TaskRecord
from theseus.contracts.events import (
    EndFacts,
    Event,
    LLMOutput,
    LLMPartial,
    PartialFacts,
    Progressed,
    StreamEnd,
    WorkflowControl,
)
from theseus.contracts.task import Mode, TaskResult, TaskStatus
from theseus.gateway.callers import OPEN_TENANT, OPEN_USER


@dataclass
class Block:
    """One block of an event stream."""

    id: str = ""
    event: str = ""
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    comment: str = ""


async def blocks(answer: httpx.Response) -> AsyncGenerator[Block]:
    """The blocks of an answer, comments too."""
    block, is_empty = Block(), True
    async for line in answer.aiter_lines():
        if not line:
            if not is_empty:
                yield block
            block, is_empty = Block(), True
            continue
        is_empty = False
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            block.data = json.loads(value)
        else:
            setattr(block, name or "comment", value)


async def read(
    http: httpx.AsyncClient, task_id: str, *, last: str | None = None, types: str | None = None, url: str | None = None
) -> list[Block]:
    """A whole stream, from after `last`."""
    params = {"workflow_id": task_id} if url is None else {}
    params |= {"types": types} if types is not None else {}
    headers = {"Last-Event-ID": last} if last else {}
    async with http.stream("GET", url or "/api/v1/stream/sse", params=params or None, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        return [block async for block in blocks(answer)]


def told(found: Sequence[Block]) -> list[Block]:
    """Events without comments."""
    return [block for block in found if block.data]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def progress(task: str, n: int, message: str = "") -> Event:
    """A milestone."""
    return Progressed(type="PROGRESS", workflow_id=task, timestamp=now(), key=f"w:{n}", message=message or f"m{n}")


def delta(task: str, n: int, text: str = "") -> Event:
    """A piece of text."""
    place = PartialFacts(step=1, attempt=1, index=n)
    return LLMPartial(workflow_id=task, timestamp=now(), message=text or f"d{n}", payload=place)


def output(task: str, text: str) -> Event:
    """A whole answer of a model."""
    return LLMOutput(workflow_id=task, timestamp=now(), key="o", message=text)


def paused(task: str) -> Event:
    """The task is held."""
    return WorkflowControl(type="WORKFLOW_PAUSED", workflow_id=task, timestamp=now(), key="p")


def end(task: str) -> Event:
    """The last one."""
    return StreamEnd(workflow_id=task, timestamp=now(), key="end", payload=EndFacts(status="completed"))


async def registered(door: Gateway, *, outcome: TaskResult | None = None, task_id: str | None = None) -> str:
    """The id of a task that the archive knows, and whose events the test writes."""
    record = TaskRecord(
        task_id=task_id or f"task-{uuid.uuid4()}",
        tenant_id=OPEN_TENANT,
        user_id=OPEN_USER,
        session_id="s",
        query="q",
        mode=Mode.SIMPLE,
        created_at=now(),
    )
    await door.archive.begin(record)
    if outcome is not None:
        made = outcome.model_copy(update={"task_id": record.task_id})
        await door.archive.end(record.model_copy(update={"outcome": made, "completed_at": now()}), ())
    return record.task_id


def answered(text: str = "the answer") -> TaskResult:
    """An outcome."""
    return TaskResult(task_id="", status=TaskStatus.COMPLETED, result=text)


async def published(door: Gateway, task: str, events: Sequence[Event]) -> None:
    """Writes events, as a worker does."""
    await door.world.stores.events.publish(task, events)


async def soon(work: Any, seconds: float = 15) -> Any:
    """The result of something that may not take long."""
    return await asyncio.wait_for(work, seconds)
