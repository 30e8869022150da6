"""Bodies and answers about schedules."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, JsonValue, StringConstraints

from theseus.contracts.schedule import Overlap
from theseus.gateway.bodies import Body
from theseus.gateway.runs import due
from theseus.gateway.schedules import Seen
from theseus.gateway.tasks import Found
from theseus.gateway.wire.sessions import HistoryItem
from theseus.gateway.wire.tasks import MICROUSD

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Description = Annotated[str, StringConstraints(max_length=10_000)]
Cron = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Zone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Dollars = Annotated[float, Field(ge=0.000_001, le=1_000_000, allow_inf_nan=False)]
Seconds = Annotated[int, Field(ge=1, le=2_592_000)]


class _Given(Body):
    description: Description | None = None
    timezone: Zone | None = None
    task_context: dict[str, JsonValue] | None = None
    max_budget_per_run_usd: Dollars | None = None
    timeout_seconds: Seconds | None = None
    overlap_policy: Overlap | None = None

    def fields(self) -> dict[str, Any]:
        """What is given, by the names of a ScheduleDefinition."""
        given = self.model_dump(exclude_none=True, exclude={"max_budget_per_run_usd", "overlap_policy"})
        if self.max_budget_per_run_usd is not None:
            given["budget_microusd"] = round(self.max_budget_per_run_usd * MICROUSD)
        if self.overlap_policy is not None:
            given["overlap"] = self.overlap_policy
        return given


class NewSchedule(_Given):
    """POST /api/v1/schedules."""

    name: Name
    cron_expression: Cron
    task_query: Query


class ChangedSchedule(_Given):
    """PUT /api/v1/schedules/{id}: what is left out stays; `clear_task_context` empties the context."""

    name: Name | None = None
    cron_expression: Cron | None = None
    task_query: Query | None = None
    clear_task_context: bool = False

    def fields(self) -> dict[str, Any]:
        """What is given, by the names of a ScheduleDefinition."""
        given = super().fields()
        is_cleared = given.pop("clear_task_context")
        return {"task_context": {}, **given} if is_cleared else given


class PauseBody(Body):
    """POST /api/v1/schedules/{id}/pause and /resume; all of it may be absent."""

    reason: str = Field(default="", max_length=1_000)


class ScheduleAnswer(BaseModel):
    """One schedule; a time that is not there is an empty string, money is in US dollars.

    `status` is ACTIVE, PAUSED, or DELETED where Temporal does not have it.
    """

    schedule_id: str
    user_id: str
    name: str
    description: str
    cron_expression: str
    timezone: str
    task_query: str
    task_context: dict[str, JsonValue]
    max_budget_per_run_usd: float
    timeout_seconds: int
    overlap_policy: Overlap
    status: str
    created_at: datetime
    updated_at: datetime
    next_run_at: datetime | str
    last_run_at: datetime | str
    paused_at: datetime | str
    pause_reason: str
    total_runs: int
    successful_runs: int
    failed_runs: int

    @classmethod
    def of(cls, seen: Seen) -> "ScheduleAnswer":
        """From ours."""
        record, definition = seen.record, seen.record.definition
        return cls(
            **record.model_dump(include={"schedule_id", "user_id", "created_at", "updated_at", "pause_reason"}),
            **definition.model_dump(exclude={"budget_microusd", "overlap"}),
            max_budget_per_run_usd=definition.budget_microusd / MICROUSD,
            overlap_policy=definition.overlap,
            status="DELETED" if seen.is_gone else "ACTIVE" if record.paused_at is None else "PAUSED",
            next_run_at=seen.next_run or "",
            last_run_at=seen.sums.last_at or "",
            paused_at=record.paused_at or "",
            total_runs=seen.sums.runs,
            successful_runs=seen.sums.answered,
            failed_runs=seen.sums.failed,
        )


class SchedulesAnswer(BaseModel):
    """GET /api/v1/schedules."""

    schedules: list[ScheduleAnswer]
    total_count: int
    page: int
    page_size: int


class RunAnswer(BaseModel):
    """One run; it is a task, and `task_id` finds it everywhere. `triggered_at` is when its time came."""

    workflow_id: str
    task_id: str
    session_id: str
    query: str
    status: str
    result: str | None = None
    error_message: str | None = None
    model_used: str | None = None
    provider: str | None = None
    total_tokens: int
    total_cost_usd: float
    duration_ms: int | None = None
    triggered_at: datetime
    started_at: datetime
    completed_at: datetime | None = None

    @classmethod
    def of(cls, found: Found) -> "RunAnswer":
        """From a task that a schedule started."""
        told, record = HistoryItem.of(found), found.record
        ended = record.outcome
        lasted = record.completed_at - record.created_at if record.completed_at is not None else None
        return cls(
            **told.model_dump(exclude={"error", "mode"}),
            session_id=record.session_id,
            error_message=told.error,
            provider=ended.provider if ended is not None else None,
            duration_ms=round(lasted.total_seconds() * 1000) if lasted is not None else None,
            triggered_at=due(record),
        )


class RunsAnswer(BaseModel):
    """GET /api/v1/schedules/{id}/runs: the newest first."""

    runs: list[RunAnswer]
    total_count: int
    page: int
    page_size: int
