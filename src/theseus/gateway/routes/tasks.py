"""POST /api/v1/tasks, GET /api/v1/tasks/{id} and the others about one task or many."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from theseus.domain.intake import parsed
from theseus.gateway.backend import Behind
from theseus.gateway.callers import Calling
from theseus.gateway.wire.tasks import SubmitAnswer, TaskAnswer

router = APIRouter(prefix="/api/v1", tags=["tasks"])

TaskId = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_.:@+-]+$")]


@router.post("/tasks")
async def submit(request: Request, response: Response, backend: Behind, caller: Calling) -> SubmitAnswer:
    """Starts a task."""
    caller.require("tasks:write")
    raw = parsed(await request.body(), "Invalid request body")
    taken = await backend.tasks.submit(raw, caller)
    response.headers["X-Workflow-ID"] = taken.task_id
    response.headers["X-Session-ID"] = taken.session_id
    return SubmitAnswer(task_id=taken.task_id, workflow_id=taken.task_id, created_at=taken.created_at)


@router.get("/tasks/{task_id}", response_model_exclude_none=True)
async def status(task_id: TaskId, backend: Behind, caller: Calling) -> TaskAnswer:
    """Where a task is, or how it ended."""
    caller.require("tasks:read")
    return TaskAnswer.of(await backend.tasks.find(task_id, caller))
