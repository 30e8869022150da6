"""How a task is told of whose stream is gone, or was never ended: from the archive and Temporal."""

from collections.abc import AsyncGenerator, Collection
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from theseus.client import Handle, UnknownTaskError, is_unknown, result_of
from theseus.contracts.archive import TaskRecord
from theseus.contracts.errors import ErrorType
from theseus.contracts.events import (
    FINAL_OUTPUT,
    EndFacts,
    Event,
    FailureFacts,
    LLMOutput,
    OutputFacts,
    StoredEvent,
    StreamEnd,
    WorkflowCompleted,
    WorkflowControl,
    WorkflowFailed,
)
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.domain.telling import SHOWN_CHARS
from theseus.stores.archive.port import Archive, Page

START_PATIENCE = timedelta(minutes=1)
"""A task is kept before it is started: so long, one that Temporal does not know may be about to start."""
_PAGE = 500
_RUNNING = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
_ANSWERED = (TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.DEGRADED, TaskStatus.BUDGET_EXHAUSTED)


class Endings:
    """What is known of tasks beside their streams.

    Args:
        temporal: the Temporal that runs them.
        archive: where they are kept for good.
    """

    def __init__(self, temporal: Client, archive: Archive) -> None:
        self._temporal = temporal
        self._archive = archive

    async def of(self, record: TaskRecord) -> TaskRecord | None:
        """The task with its outcome; None while it runs.

        Raises:
            UnknownTaskError: it never ran, or Temporal has forgotten it before anybody asked for its end.
            RPCError, ArchiveDownError: nobody can say now.
        """
        kept = await self._archive.task(record.task_id)
        if kept is not None and kept.outcome is not None:
            return kept
        handle: Handle = self._temporal.get_workflow_handle(record.task_id)
        try:
            seen = await handle.describe()
        except RPCError as error:
            if is_unknown(error):
                if datetime.now(UTC) - record.created_at < START_PATIENCE:
                    return None
                raise UnknownTaskError(f"Temporal does not know the task {record.task_id}, or not any more") from error
            raise
        if seen.status in _RUNNING:
            return None
        outcome = await result_of(handle)
        return (kept or record).model_copy(update={"outcome": outcome, "completed_at": seen.close_time})

    async def kept(self, record: TaskRecord) -> AsyncGenerator[StoredEvent]:
        """The events that the archive has of a task that ended, and its end, which it may not have.

        Raises:
            ArchiveDownError: it cannot be read.
        """
        told: set[tuple[str, str]] = set()
        offset = 0
        while True:
            page = await self._archive.events(record.task_id, Page(_PAGE, offset))
            for stored in page.events:
                told.add((stored.event.type, stored.event.agent_id))
                yield stored
            offset += len(page.events)
            if not page.events or offset >= page.total:
                break
        for stored in last_words(record, told):
            yield stored


def last_words(record: TaskRecord, told: Collection[tuple[str, str]] = ()) -> list[StoredEvent]:
    """The last events of a task by its outcome, without those that were told; they have no place in a stream."""
    if record.outcome is None:
        return []
    made = _last(record.outcome, record.completed_at or record.created_at)
    return [StoredEvent(stream_id="", seq=0, event=event) for event in made if (event.type, event.agent_id) not in told]


def _last(ended: TaskResult, at: datetime) -> list[Event]:
    task_id, end = ended.task_id, EndFacts(status=ended.status, usage=ended.usage)
    closing = StreamEnd(workflow_id=task_id, timestamp=at, payload=end)
    if ended.status in _ANSWERED:
        facts = OutputFacts(
            usage=ended.usage,
            model_used=ended.model_used or "",
            provider=ended.provider or "",
            text_cut=len(ended.result) > SHOWN_CHARS,
        )
        text = ended.result[:SHOWN_CHARS]
        return [
            LLMOutput(workflow_id=task_id, agent_id=FINAL_OUTPUT, message=text, timestamp=at, payload=facts),
            WorkflowCompleted(workflow_id=task_id, message=ended.status, timestamp=at, payload=end),
            closing,
        ]
    if ended.status is TaskStatus.CANCELLED:
        return [WorkflowControl(type="WORKFLOW_CANCELLED", workflow_id=task_id, timestamp=at), closing]
    error = ended.error
    why = FailureFacts(error_type=error.type if error else ErrorType.INTERNAL, field=error.field if error else None)
    said = error.message if error else ""
    return [WorkflowFailed(workflow_id=task_id, message=said, timestamp=at, payload=why), closing]
