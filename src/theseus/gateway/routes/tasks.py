"""POST /api/v1/tasks, GET /api/v1/tasks/{id} and the others about one task or many."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from temporalio.service import RPCError

from theseus.client import is_unknown
from theseus.contracts.task import TaskInput
from theseus.domain.intake import parsed
from theseus.gateway.backend import Behind
from theseus.gateway.bodies import described
from theseus.gateway.callers import Calling
from theseus.gateway.once import Once, fingerprint_of
from theseus.gateway.refusals import Refusal
from theseus.gateway.steering import forgotten
from theseus.gateway.tasks import OURS, visible
from theseus.gateway.timeline import timeline
from theseus.gateway.told import told
from theseus.gateway.wire.tasks import (
    EventLine,
    EventList,
    SubmitAnswer,
    TaskAnswer,
    TaskLine,
    TaskList,
    Timeline,
    TimelineStep,
)
from theseus.stores.archive.port import Ended, Page

router = APIRouter(prefix="/api/v1", tags=["tasks"], route_class=Once)

MOST_OFFSET = 10_000_000
ENDS = {
    "QUEUED": Ended.OPEN,
    "RUNNING": Ended.OPEN,
    "PAUSED": Ended.OPEN,
    "COMPLETED": Ended.ANSWERED,
    "FAILED": Ended.FAILED,
    "CANCELLED": Ended.CANCELLED,
    "TIMEOUT": Ended.TIMED_OUT,
}
"""What lists are filtered by: whether a task is held is known to its worker alone, so open tasks are one group."""

_STATUS = (
    f"One of {', '.join(ENDS)}. Whether a task waits, runs or is held is known to its worker alone: "
    "QUEUED, RUNNING and PAUSED give all tasks that have not ended."
)

TASK = described(TaskInput, without=OURS, is_needed=True)
"""The body of a submit: the task's own input."""

Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=MOST_OFFSET)]
SessionId = Annotated[str, Query(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]*$")]
TaskId = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]


@router.post("/tasks", openapi_extra=TASK)
async def submit(request: Request, response: Response, backend: Behind, caller: Calling) -> SubmitAnswer:
    """Starts a task."""
    caller.require("tasks:write")
    raw = parsed(await request.body(), "Invalid request body: it")
    taken = await backend.tasks.submit(raw, caller, fingerprint=fingerprint_of(request))
    response.headers["X-Workflow-ID"] = taken.task_id
    response.headers["X-Session-ID"] = taken.session_id
    return SubmitAnswer(task_id=taken.task_id, workflow_id=taken.task_id, created_at=taken.created_at)


@router.get("/tasks", response_model_exclude_none=True)
async def tasks(
    backend: Behind,
    caller: Calling,
    limit: Limit = 20,
    offset: Offset = 0,
    status: Annotated[str | None, Query(description=_STATUS)] = None,
    session_id: SessionId | None = None,
) -> TaskList:
    """The caller's tasks, the newest first."""
    caller.require("tasks:read")
    if status is not None and status.upper().removeprefix("TASK_STATUS_") not in ENDS:
        raise Refusal(400, f"status: {status!r} is none of {', '.join(ENDS)}")
    ended = ENDS[status.upper().removeprefix("TASK_STATUS_")] if status is not None else None
    await backend.schedules.notice(caller)
    found, total = await backend.tasks.listed(visible(caller, session_id, ended), Page(limit, offset))
    return TaskList(tasks=[TaskLine.of(each) for each in found], total_count=total)


@router.get("/tasks/{task_id}/events")
async def events(
    task_id: TaskId,
    backend: Behind,
    caller: Calling,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Offset = 0,
) -> EventList:
    """What a task told, oldest first, without the pieces of its texts."""
    caller.require("tasks:read")
    await backend.tasks.find(task_id, caller)
    page = await told(task_id, Page(limit, offset), backend.archive, backend.events)
    return EventList(events=[EventLine.of(stored) for stored in page.events], count=page.total)


@router.get("/tasks/{task_id}/timeline")
async def history(
    task_id: TaskId,
    backend: Behind,
    caller: Calling,
    mode: Annotated[Literal["summary", "full"], Query(description="full: with every workflow task.")] = "summary",
) -> Timeline:
    """What Temporal recorded of a task."""
    caller.require("tasks:read")
    await backend.tasks.record(task_id, caller)
    try:
        steps = await timeline(backend.temporal, task_id, is_full=mode == "full")
    except RPCError as error:
        if is_unknown(error):
            raise forgotten(task_id) from error
        raise
    shown = [
        TimelineStep(event_id=each.number, timestamp=each.at, type=f"{each.kind}_{each.type}", message=each.name)
        for each in steps
    ]
    return Timeline(workflow_id=task_id, events=shown, stats={"total": len(shown), "mode": mode})


@router.get("/tasks/{task_id}", response_model_exclude_none=True)
async def status(task_id: TaskId, backend: Behind, caller: Calling) -> TaskAnswer:
    """Where a task is, or how it ended."""
    caller.require("tasks:read")
    return TaskAnswer.of(await backend.tasks.find(task_id, caller))
