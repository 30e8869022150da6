"""A plan: what a task is split into, and how far each part is. Inner contract, shown by the query `progress`."""

from enum import StrEnum

from pydantic import BaseModel, Field


class SubtaskState(StrEnum):
    """Where a subtask stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Subtask(BaseModel):
    """One part of a plan."""

    id: str = Field(min_length=1, max_length=64)
    description: str
    role: str = "generalist"
    state: SubtaskState = SubtaskState.PENDING
    depends_on: list[str] = []


class Plan(BaseModel):
    """The parts of a task with their dependencies."""

    complexity: float = Field(default=0.0, ge=0, le=1)
    strategy: str = ""
    subtasks: list[Subtask] = []
