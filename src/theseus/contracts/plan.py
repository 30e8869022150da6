"""A plan: what a task is split into, and how far each part is. The drafts are what a planner answers with; the rest is
shown by the query `progress` and kept in a result's metadata.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field

MOST_SUBTASKS = 12


class Strategy(StrEnum):
    """How one agent works on its subtask."""

    REACT = "react"
    CHAIN_OF_THOUGHT = "chain_of_thought"
    TREE_OF_THOUGHTS = "tree_of_thoughts"
    DEBATE = "debate"
    REFLECTION = "reflection"


class SubtaskState(StrEnum):
    """Where a subtask stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class SubtaskDraft(BaseModel):
    """One part of a plan, as a planner writes it."""

    id: str = Field(min_length=1, max_length=64, description="Short and unique in the plan, such as 'prices'.")
    description: str = Field(
        min_length=1, max_length=4000, description="All that its agent needs to know: it sees nothing else."
    )
    role: str = Field(default="generalist", description="Which role works on it.")
    tools: list[str] | None = Field(default=None, description="Tools it may use; null: those of its role.")
    depends_on: list[str] = Field(default=[], description="Ids of the subtasks whose results it needs.")
    if_missing: Literal["required", "optional"] = Field(
        default="required", description="required: skipped when one it depends on fails; optional: done without it."
    )
    strategy: Strategy = Field(default=Strategy.REACT, description="How its agent works.")
    tier: Literal["small", "medium", "large"] | None = Field(default=None, description="null: the role's own.")
    expected_output: str = Field(default="", max_length=1000, description="What a good result looks like.")


class PlanDraft(BaseModel):
    """The parts of a task with their dependencies, as a planner writes them."""

    complexity: float = Field(default=0.5, ge=0, le=1)
    strategy: str = Field(default="", max_length=2000, description="The idea of the plan, in a sentence.")
    subtasks: list[SubtaskDraft]


class Subtask(SubtaskDraft):
    """One part of a plan under way."""

    state: SubtaskState = SubtaskState.PENDING
    agent_id: str | None = Field(default=None, description="The agent that worked on it last.")
    attempts: int = 0
    note: str = Field(default="", description="Why it failed or was skipped.")


class Plan(BaseModel):
    """The parts of a task with their dependencies."""

    complexity: float = Field(default=0.0, ge=0, le=1)
    strategy: str = ""
    subtasks: list[Subtask] = []
