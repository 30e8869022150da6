"""Answers about sessions."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from theseus.contracts.archive import SessionRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.task import Mode, TaskStatus
from theseus.gateway.sessions import Turns
from theseus.gateway.tasks import Found
from theseus.gateway.wire.tasks import MICROUSD, STATUS_OF, EventLine, wire_status

_PREFIX = "TASK_STATUS_"


class SessionAnswer(BaseModel):
    """One session, in lists and alone; money in US dollars."""

    session_id: str
    user_id: str
    title: str
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    expires_at: datetime
    is_active: bool
    task_count: int
    successful_tasks: int
    failed_tasks: int
    success_rate: float
    tokens_used: int
    cost_usd: float
    total_cost_usd: float
    average_cost_per_task: float
    is_research_session: bool
    first_task_mode: str | None = None
    latest_task_id: str
    latest_task_query: str
    latest_task_status: str
    message_count: int | None = None

    @classmethod
    def of(cls, record: SessionRecord, lasts: timedelta, now: datetime, messages: int | None = None) -> "SessionAnswer":
        """From the archive's; `lasts` is how long a session is remembered after its last use."""
        cost = record.cost_microusd / MICROUSD
        ended = record.answered + record.failed
        return cls(
            **record.model_dump(include={"session_id", "user_id", "title", "created_at", "updated_at"}),
            last_activity_at=record.updated_at,
            expires_at=record.updated_at + lasts,
            is_active=record.updated_at + lasts > now,
            task_count=record.tasks,
            successful_tasks=record.answered,
            failed_tasks=record.failed,
            success_rate=record.answered / ended if ended else 0.0,
            tokens_used=record.total_tokens,
            cost_usd=cost,
            total_cost_usd=cost,
            average_cost_per_task=cost / record.tasks if record.tasks else 0.0,
            is_research_session=record.is_research,
            first_task_mode=record.first_mode,
            latest_task_id=record.latest_task_id,
            latest_task_query=record.latest_query,
            latest_task_status=_status(record.latest_status),
            message_count=messages,
        )


class SessionsAnswer(BaseModel):
    """GET /api/v1/sessions."""

    sessions: list[SessionAnswer]
    total_count: int


class TitleAnswer(BaseModel):
    """PATCH /api/v1/sessions/{id}."""

    session_id: str
    title: str


class HistoryItem(BaseModel):
    """One task of a session, its status without a prefix."""

    task_id: str
    workflow_id: str
    query: str
    result: str | None = None
    error: str | None = None
    status: str
    mode: Mode | None = None
    started_at: datetime
    completed_at: datetime | None = None
    total_tokens: int
    total_cost_usd: float
    model_used: str | None = None

    @classmethod
    def of(cls, found: Found) -> "HistoryItem":
        """From a task."""
        record, ended = found.record, found.record.outcome
        usage = ended.usage if ended is not None else None
        return cls(
            task_id=record.task_id,
            workflow_id=record.task_id,
            query=record.query,
            result=ended.result if ended is not None else None,
            error=ended.error.message if ended is not None and ended.error is not None else None,
            status=plain_status(found),
            mode=(ended and ended.mode) or record.mode,
            started_at=record.created_at,
            completed_at=record.completed_at,
            total_tokens=usage.total_tokens if usage is not None else 0,
            total_cost_usd=usage.cost_microusd / MICROUSD if usage is not None else 0.0,
            model_used=ended.model_used if ended is not None else None,
        )


class HistoryAnswer(BaseModel):
    """GET /api/v1/sessions/{id}/history: its tasks, the oldest first."""

    session_id: str
    tasks: list[HistoryItem]
    total_count: int

    @classmethod
    def of(cls, session_id: str, turns: Turns) -> "HistoryAnswer":
        """From a page of tasks."""
        tasks = [HistoryItem.of(found) for found in turns.found]
        return cls(session_id=session_id, tasks=tasks, total_count=turns.total)


class TurnItem(BaseModel):
    """One task of a session with its events."""

    turn: int
    task_id: str
    user_query: str
    final_output: str | None = None
    timestamp: datetime
    status: str
    events: list[EventLine]
    metadata: dict[str, Any]


class TurnsAnswer(BaseModel):
    """GET /api/v1/sessions/{id}/events; `count` is how many turns there are in all."""

    session_id: str
    turns: list[TurnItem]
    count: int

    @classmethod
    def of(cls, session_id: str, turns: Turns) -> "TurnsAnswer":
        """From a page of tasks and their events."""
        items = [_turn(found, turns.first + n, turns.events) for n, found in enumerate(turns.found)]
        return cls(session_id=session_id, turns=items, count=turns.total)


def plain_status(found: Found) -> str:
    """The status word of a task, as histories have it: COMPLETED."""
    return wire_status(found).removeprefix(_PREFIX)


def _status(status: TaskStatus | None) -> str:
    return STATUS_OF[status].removeprefix(_PREFIX) if status is not None else "RUNNING"


def _turn(found: Found, number: int, events: Mapping[str, list[StoredEvent]]) -> TurnItem:
    record, ended = found.record, found.record.outcome
    metadata: dict[str, Any] = {}
    if ended is not None:
        agents = [agent.agent_id for agent in ended.metadata.agents]
        metadata = {
            "tokens_used": ended.usage.total_tokens,
            "cost_usd": ended.usage.cost_microusd / MICROUSD,
            "agents_involved": agents,
            "model_used": ended.model_used,
        }
    if record.completed_at is not None:
        metadata["execution_time_ms"] = round((record.completed_at - record.created_at).total_seconds() * 1000)
    return TurnItem(
        turn=number,
        task_id=record.task_id,
        user_query=record.query,
        final_output=ended.result if ended is not None else None,
        timestamp=record.created_at,
        status=plain_status(found),
        events=[EventLine.of(stored) for stored in events.get(record.task_id, ())],
        metadata=metadata,
    )
