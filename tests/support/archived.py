"""Records of an archive, as tests make them: what is not said is of no matter there."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from theseus.contracts.archive import TaskRecord
from theseus.contracts.events import StoredEvent
from theseus.contracts.schedule import ScheduleDefinition, ScheduleRecord
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.stores.memory_events import MemoryEvents

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def task(task_id: str = "t", *, minute: int = 0, **more: Any) -> TaskRecord:
    """A task that begins so many minutes after noon."""
    known: dict[str, Any] = {"tenant_id": "acme", "user_id": "ada", "session_id": "s", "query": "hello", **more}
    return TaskRecord(task_id=task_id, created_at=NOON + timedelta(minutes=minute), **known)


def ended(record: TaskRecord, status: TaskStatus = TaskStatus.COMPLETED, **more: Any) -> TaskRecord:
    """The same task, as it ended a minute later."""
    outcome = TaskResult(task_id=record.task_id, status=status, **more)
    return record.model_copy(update={"outcome": outcome, "completed_at": record.created_at + timedelta(minutes=1)})


def event(number: int, kind: str = "PROGRESS", **more: Any) -> StoredEvent:
    """An event at that place of a task's stream."""
    body = {"type": kind, "workflow_id": "t", "timestamp": NOON.isoformat(), "message": f"{number}", **more}
    return StoredEvent.model_validate({"stream_id": f"{number}-0", "seq": number, "event": body})


def schedule(schedule_id: str = "c", *, minute: int = 0, **more: Any) -> ScheduleRecord:
    """A schedule made so many minutes after noon."""
    defined = ScheduleDefinition(
        name="daily",
        cron_expression="0 9 * * *",
        task_query="report",
        task_context={"a": [1, "ü"]},
        budget_microusd=5_000_000_000,
        timeout_seconds=60,
    )
    at = NOON + timedelta(minutes=minute)
    known: dict[str, Any] = {"tenant_id": "acme", "user_id": "ada", "definition": defined, **more}
    return ScheduleRecord(schedule_id=schedule_id, created_at=at, updated_at=at, **known)


class Broken(MemoryEvents):
    """A log that breaks off after two events."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    async def read(self, task_id: str, after: str = "0", *, follow: bool = True) -> AsyncIterator[StoredEvent]:
        del task_id, after, follow
        for number in (1, 2):
            yield event(number)
        raise self._fault
