"""What a router makes of a task. Inner contract."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Assessment(BaseModel):
    """What the router role answers."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    complexity: float = Field(ge=0, le=1, description="0: one short answer; 1: many experts for a long time.")
    needs_tools: bool = Field(description="Whether facts from outside, files or exact arithmetic are needed.")
    suggested_mode: Literal["simple", "standard", "complex", "supervisor"] = Field(
        description="supervisor only when several roles must talk to each other while they work."
    )
