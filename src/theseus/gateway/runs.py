"""Tasks that a schedule started: Temporal starts them without a gateway, so each gets its row when a gateway sees it."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey

from theseus.contracts.archive import TaskRecord
from theseus.contracts.control import SCHEDULED_BY
from theseus.contracts.schedule import ScheduleRecord
from theseus.contracts.task import Mode
from theseus.stores.archive.port import Archive, SessionDeletedError

MOST = 2000
"""So many runs are noticed at once; more than Temporal keeps of any schedule that may be."""
LATE = timedelta(minutes=5)
"""So long after it started, a run may come to be listed by Temporal."""


_DUE = re.compile(r"-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$")


def due(run: TaskRecord) -> datetime:
    """When the time of a run came, which may be before it could start: Temporal ends its id with it."""
    said = _DUE.search(run.task_id)
    return datetime.fromisoformat(said[1]) if said else run.created_at


async def noticed(archive: Archive, seen: WorkflowExecution) -> TaskRecord | None:
    """The row of a task that a schedule of ours started, made now if it was not there; None for any other."""
    schedule_id = seen.typed_search_attributes.get(SearchAttributeKey.for_keyword(SCHEDULED_BY))
    schedule = await archive.schedules.get(schedule_id) if schedule_id else None
    return await _keep(archive, schedule, seen) if schedule is not None else None


async def notice(
    temporal: Client, archive: Archive, schedules: Sequence[ScheduleRecord], since: datetime | None = None
) -> None:
    """Makes rows for runs of these schedules that are under way, and for all that started after `since`.

    Workers keep runs that have ended, unless they are set to keep nothing.

    Raises:
        RPCError: Temporal does not tell.
    """
    by_id = {schedule.schedule_id: schedule for schedule in schedules}
    if not by_id:
        return
    ids = ", ".join(f"'{schedule_id}'" for schedule_id in by_id)
    when = "ExecutionStatus = 'Running'"
    if since is not None:
        when = f"({when} OR StartTime >= '{(since - LATE).isoformat()}')"
    key = SearchAttributeKey.for_keyword(SCHEDULED_BY)
    async for seen in temporal.list_workflows(f"{SCHEDULED_BY} IN ({ids}) AND {when}", limit=MOST):
        schedule = by_id.get(seen.typed_search_attributes.get(key) or "")
        if schedule is not None and await archive.task(seen.id) is None:
            await _keep(archive, schedule, seen)


async def _keep(archive: Archive, schedule: ScheduleRecord, seen: WorkflowExecution) -> TaskRecord:
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
    try:
        await archive.begin(record)
    except SessionDeletedError:
        # its user has deleted what it works in; its worker keeps it when it ends
        return record
    return await archive.task(seen.id) or record
