"""Answers about tasks."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, JsonValue

from theseus.contracts.events import StoredEvent
from theseus.contracts.task import TaskResult, TaskStatus, Usage
from theseus.gateway.tasks import Found

MICROUSD = 1_000_000

STATUS_OF: dict[TaskStatus, str] = {
    TaskStatus.COMPLETED: "TASK_STATUS_COMPLETED",
    TaskStatus.PARTIAL: "TASK_STATUS_COMPLETED",
    TaskStatus.DEGRADED: "TASK_STATUS_COMPLETED",
    TaskStatus.BUDGET_EXHAUSTED: "TASK_STATUS_COMPLETED",
    TaskStatus.FAILED: "TASK_STATUS_FAILED",
    TaskStatus.DENIED: "TASK_STATUS_FAILED",
    TaskStatus.TIMED_OUT: "TASK_STATUS_TIMEOUT",
    TaskStatus.CANCELLED: "TASK_STATUS_CANCELLED",
}
"""The wire knows fewer ends than we do; `metadata.status` says ours."""


class SubmitAnswer(BaseModel):
    """POST /api/v1/tasks."""

    task_id: str
    workflow_id: str
    status: str = "STATUS_CODE_OK"
    message: str = "Task submitted successfully"
    created_at: datetime


class UsageAnswer(BaseModel):
    """Tokens and US dollars, under both families of names that clients read."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    estimated_cost: float
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float

    @classmethod
    def of(cls, usage: Usage) -> "UsageAnswer":
        """From ours, whose money is in millionths."""
        cost = usage.cost_microusd / MICROUSD
        return cls(
            total_tokens=usage.total_tokens,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            estimated_cost=cost,
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            cost_usd=cost,
        )


class TaskAnswer(BaseModel):
    """GET /api/v1/tasks/{id}. Keys whose value is not known are left out."""

    task_id: str
    workflow_id: str
    status: str
    query: str
    session_id: str
    mode: str | None = None
    context: dict[str, JsonValue] = {}
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    result: str | None = None
    response: JsonValue = None
    error: str | None = None
    model_used: str | None = None
    provider: str | None = None
    usage: UsageAnswer | None = None
    metadata: dict[str, Any] = {}

    @classmethod
    def of(cls, found: Found) -> "TaskAnswer":
        """From what the archive and Temporal know."""
        record, ended = found.record, found.record.outcome
        return cls(
            task_id=record.task_id,
            workflow_id=record.task_id,
            status=wire_status(found),
            query=record.query,
            session_id=record.session_id,
            mode=(ended and ended.mode) or record.mode,
            context=record.context,
            created_at=record.created_at,
            updated_at=record.completed_at or record.created_at,
            completed_at=record.completed_at,
            **(_outcome(ended) if ended is not None else _progress(found)),
        )


class TaskLine(BaseModel):
    """One task of a list."""

    task_id: str
    workflow_id: str
    query: str
    status: str
    mode: str = ""
    session_id: str
    created_at: datetime
    completed_at: datetime | None = None
    total_token_usage: UsageAnswer

    @classmethod
    def of(cls, found: Found) -> "TaskLine":
        """From what the archive and Temporal know."""
        record, ended = found.record, found.record.outcome
        return cls(
            task_id=record.task_id,
            workflow_id=record.task_id,
            query=record.query,
            status=wire_status(found),
            mode=(ended and ended.mode) or record.mode or "",
            session_id=record.session_id,
            created_at=record.created_at,
            completed_at=record.completed_at,
            total_token_usage=UsageAnswer.of(ended.usage if ended is not None else Usage()),
        )


class TaskList(BaseModel):
    """GET /api/v1/tasks."""

    tasks: list[TaskLine]
    total_count: int


class EventLine(BaseModel):
    """One event of a list, under its own name."""

    workflow_id: str
    type: str
    agent_id: str
    message: str
    payload: JsonValue = None
    timestamp: datetime
    seq: int
    stream_id: str

    @classmethod
    def of(cls, stored: StoredEvent) -> "EventLine":
        """From ours."""
        event = stored.event.model_dump(mode="json", exclude={"key"})
        return cls.model_validate({**event, "seq": stored.seq, "stream_id": stored.stream_id})


class EventList(BaseModel):
    """GET /api/v1/tasks/{id}/events."""

    events: list[EventLine]
    count: int


class TimelineStep(BaseModel):
    """One recorded step; `type` begins with its kind, as in ACT_ACTIVITY_TASK_SCHEDULED."""

    event_id: int
    timestamp: datetime
    type: str
    message: str


class Timeline(BaseModel):
    """GET /api/v1/tasks/{id}/timeline."""

    workflow_id: str
    events: list[TimelineStep]
    stats: dict[str, JsonValue]


def wire_status(found: Found) -> str:
    """The status word of a task."""
    if found.record.outcome is not None:
        return STATUS_OF[found.record.outcome.status]
    if not found.is_started:
        return "TASK_STATUS_QUEUED"
    return "TASK_STATUS_PAUSED" if found.is_paused else "TASK_STATUS_RUNNING"


def _progress(found: Found) -> dict[str, Any]:
    if found.progress is None:
        return {}
    now = found.progress
    shown = now.model_dump(mode="json", include={"phase", "plan", "agents", "waiting_for"}, exclude_none=True)
    return {"usage": UsageAnswer.of(now.usage), "metadata": {"progress": shown}}


def _outcome(ended: TaskResult) -> dict[str, Any]:
    metadata = ended.metadata.model_dump(mode="json", exclude_none=True)
    metadata["model_breakdown"] = [
        {**use.model_dump(exclude={"cost_microusd"}), "cost_usd": use.cost_microusd / MICROUSD}
        for use in ended.metadata.model_breakdown
    ]
    return {
        "result": ended.result,
        "response": ended.response,
        "error": ended.error.message if ended.error is not None else None,
        "model_used": ended.model_used,
        "provider": ended.provider,
        "usage": UsageAnswer.of(ended.usage),
        "metadata": {**metadata, "status": str(ended.status)},
    }
