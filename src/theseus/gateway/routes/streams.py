"""GET /api/v1/stream/sse, /stream/ws, /tasks/{id}/stream, and POST /api/v1/tasks/stream: tasks while they run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Query, Request, Response, WebSocket, WebSocketDisconnect

from theseus.contracts.archive import TaskRecord
from theseus.domain.intake import parsed
from theseus.gateway.backend import Backend, Behind
from theseus.gateway.callers import QUERY, Caller, Calling
from theseus.gateway.once import Once, fingerprint_of
from theseus.gateway.routes.tasks import TASK, TaskId
from theseus.gateway.streams.items import GatewayStopping, Item, Ping, Remark, Trouble
from theseus.gateway.streams.lines import lines
from theseus.gateway.streams.sending import EventStream, Giving
from theseus.gateway.streams.since import Since
from theseus.gateway.wire.events import TYPES, Frame, fault
from theseus.gateway.wire.streams import StreamAnswer

router = APIRouter(prefix="/api/v1", tags=["streams"], route_class=Once)

TRY_AGAIN, RESTARTING = 1013, 1012
"""Codes by which a WebSocket is closed before the task's end."""

WorkflowId = Annotated[
    str, Query(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$", description="The task's id, as POST /tasks gave it.")
]


def _since(
    header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    last_event_id: Annotated[str | None, Query(description="Where to go on: an event's `id`, or its `seq`.")] = None,
) -> Since:
    return Since.of(header or last_event_id)


def _types(
    types: Annotated[str | None, Query(description="Which to tell, as in LLM_PARTIAL,LLM_OUTPUT; absent: all.")] = None,
) -> frozenset[str]:
    names = (name.strip() for name in (types or "").split(","))
    return frozenset(TYPES.get(name, name) for name in names if name)


After = Annotated[Since, Depends(_since)]
Wanted = Annotated[frozenset[str], Depends(_types)]


@router.get("/stream/sse", status_code=200, response_class=EventStream, dependencies=[Depends(QUERY)])
async def sse(workflow_id: WorkflowId, since: After, types: Wanted, backend: Behind, caller: Calling) -> EventStream:
    """The events of a task as server-sent events, until its end."""
    return await _stream(workflow_id, since, types, backend, caller)


@router.get("/tasks/{task_id}/stream", status_code=200, response_class=EventStream, dependencies=[Depends(QUERY)])
async def of_task(task_id: TaskId, since: After, types: Wanted, backend: Behind, caller: Calling) -> EventStream:
    """The same, found by the task's own address."""
    return await _stream(task_id, since, types, backend, caller)


@router.post("/tasks/stream", status_code=201, openapi_extra=TASK)
async def submit(request: Request, response: Response, backend: Behind, caller: Calling) -> StreamAnswer:
    """Starts a task and says where to watch it."""
    caller.require("tasks:write")
    raw = parsed(await request.body(), "Invalid request body: it")
    taken = await backend.tasks.submit(raw, caller, fingerprint=fingerprint_of(request))
    url = f"/api/v1/stream/sse?workflow_id={quote(taken.task_id, safe='')}"
    response.headers["X-Workflow-ID"] = taken.task_id
    response.headers["X-Session-ID"] = taken.session_id
    response.headers["Link"] = f'<{url}>; rel="stream"'
    return StreamAnswer(task_id=taken.task_id, workflow_id=taken.task_id, stream_url=url, created_at=taken.created_at)


@router.websocket("/stream/ws")
async def ws(
    websocket: WebSocket, workflow_id: WorkflowId, since: After, types: Wanted, backend: Behind, caller: Calling
) -> None:
    """The events of a task as JSON texts, then a close: 1000 at its end, 1013 when they cannot be read, 1012 at a restart."""
    record = await _record(workflow_id, backend, caller)
    await websocket.accept()
    giving = Giving()
    told = backend.streams.read(record, since, types)
    telling = asyncio.create_task(_tell(websocket, record.task_id, told, giving))
    leaving = asyncio.create_task(_left(websocket))
    try:
        await giving.until_over(telling, leaving)
        if telling.done():
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.close(telling.result())
    finally:
        for task in (telling, leaving):
            task.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def _tell(websocket: WebSocket, task_id: str, told: AsyncGenerator[list[Item]], giving: Giving) -> int:
    """Sends until the end; gives the code to close with."""
    try:
        async with aclosing(told):
            async for item in (item async for items in told for item in items):
                match item:
                    case Ping() | Remark():
                        pass
                    case Trouble(message=message):
                        await giving.give(websocket.send_text(fault(task_id, message)))
                        return TRY_AGAIN
                    case Frame() as frame:
                        await giving.give(websocket.send_text(frame.data))
    except GatewayStopping:
        return RESTARTING
    except (WebSocketDisconnect, RuntimeError):
        return 1000
    return 1000


async def _left(websocket: WebSocket) -> None:
    # what a client says is not listened to; that it leaves is
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _stream(task_id: str, since: Since, types: frozenset[str], backend: Backend, caller: Caller) -> EventStream:
    record = await _record(task_id, backend, caller)
    headers = {"X-Workflow-ID": record.task_id}
    return EventStream(lines(record.task_id, backend.streams.read(record, since, types)), headers)


async def _record(task_id: str, backend: Backend, caller: Caller) -> TaskRecord:
    caller.require("tasks:read")
    return await backend.tasks.record(task_id, caller)
