"""What starts tasks by itself: a schedule, as it is defined and as it is kept. Inner contract."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Overlap(StrEnum):
    """What happens to a run whose time has come while the one before is under way.

    It is left out, waits for its end (one at most), has that one cancelled, or runs beside it.
    """

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    CANCEL_OTHER = "cancel_other"
    ALLOW_ALL = "allow_all"


class ScheduleDefinition(BaseModel):
    """When to run what, and what a run may cost. Money is in millionths of a US dollar."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str = ""
    cron_expression: str
    timezone: str = "UTC"
    task_query: str
    task_context: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    budget_microusd: int
    timeout_seconds: int
    overlap: Overlap = Overlap.SKIP


class ScheduleRecord(BaseModel):
    """A schedule of a user; times are aware. `pause_reason` says something only while it is paused."""

    model_config = ConfigDict(frozen=True)

    schedule_id: str
    tenant_id: str
    user_id: str
    definition: ScheduleDefinition
    created_at: datetime
    updated_at: datetime
    paused_at: datetime | None = None
    pause_reason: str = ""
    deleted_at: datetime | None = None
