"""What is kept of tasks for good: rows of the archive. Written by gateways at the start and by workers at the end."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from theseus.contracts.events import StoredEvent
from theseus.contracts.task import Mode, TaskResult, TaskStatus

Trigger = Literal["api", "openai", "grpc", "schedule", "other"]
"""What a task was started by; `other` is all that does not go through a gateway of ours."""


class TaskRecord(BaseModel):
    """One task. `outcome` is None as long as its end is not known; times are aware."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    tenant_id: str
    user_id: str
    session_id: str
    query: str
    context: dict[str, JsonValue] = {}
    mode: Mode | None = None
    trigger: Trigger = "other"
    schedule_id: str | None = None
    created_at: datetime
    completed_at: datetime | None = None
    outcome: TaskResult | None = None


class ArchivedEvents(BaseModel):
    """A page of a task's events, oldest first, and how many there are in all."""

    events: list[StoredEvent]
    total: int


class SessionRecord(BaseModel):
    """A session, with what its tasks came to; `updated_at` is when it was used last."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    tenant_id: str
    user_id: str
    title: str = ""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    tasks: int = 0
    answered: int = 0
    failed: int = 0
    total_tokens: int = 0
    cost_microusd: int = 0
    is_research: bool = False
    first_mode: Mode | None = None
    latest_task_id: str = ""
    latest_query: str = ""
    latest_status: TaskStatus | None = None


class RunSums(BaseModel):
    """What the runs of a schedule came to; those under way are only in `runs`."""

    model_config = ConfigDict(frozen=True)

    runs: int = 0
    answered: int = 0
    failed: int = 0
    last_at: datetime | None = None
