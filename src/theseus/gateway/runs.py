"""Tasks that a schedule started: Temporal starts them without a gateway, so each gets its row when a gateway sees it."""

from temporalio.client import WorkflowExecution
from temporalio.common import SearchAttributeKey

from theseus.contracts.archive import TaskRecord
from theseus.contracts.control import SCHEDULED_BY
from theseus.contracts.schedule import ScheduleRecord
from theseus.contracts.task import Mode
from theseus.stores.archive.port import Archive


async def noticed(archive: Archive, seen: WorkflowExecution) -> TaskRecord | None:
    """The row of a task that a schedule of ours started, made now if it was not there; None for any other."""
    schedule_id = seen.typed_search_attributes.get(SearchAttributeKey.for_keyword(SCHEDULED_BY))
    schedule = await archive.schedules.get(schedule_id) if schedule_id else None
    return await keep(archive, schedule, seen) if schedule is not None else None


async def keep(archive: Archive, schedule: ScheduleRecord, seen: WorkflowExecution) -> TaskRecord:
    """The row of a run of this schedule, made now if it was not there."""
    labels = seen.typed_search_attributes
    mode = labels.get(SearchAttributeKey.for_keyword("TaskMode"))
    context = schedule.definition.task_context
    record = TaskRecord(
        task_id=seen.id,
        tenant_id=schedule.tenant_id,
        user_id=schedule.user_id,
        # a run opens a session of its own; until a worker has taken it, nobody knows which
        session_id=labels.get(SearchAttributeKey.for_keyword("TaskSession")) or "",
        query=schedule.definition.task_query,
        context={name: value for name, value in context.items() if name != "attachments"},
        mode=Mode(mode) if mode in list(Mode) else None,
        trigger="schedule",
        schedule_id=schedule.schedule_id,
        created_at=seen.start_time,
    )
    await archive.begin(record)
    return await archive.task(seen.id) or record
