"""Rows of the archive as the records that others know, and the groups that ends are counted by."""

from theseus.contracts.archive import TaskRecord
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.stores.archive.port import Ended
from theseus.stores.archive.tables import TaskTable

STATUSES: dict[Ended, tuple[TaskStatus, ...]] = {
    Ended.ANSWERED: (TaskStatus.COMPLETED, TaskStatus.PARTIAL, TaskStatus.DEGRADED, TaskStatus.BUDGET_EXHAUSTED),
    Ended.FAILED: (TaskStatus.FAILED, TaskStatus.DENIED),
    Ended.CANCELLED: (TaskStatus.CANCELLED,),
    Ended.TIMED_OUT: (TaskStatus.TIMED_OUT,),
}


def record_of(row: TaskTable) -> TaskRecord:
    """One task, from its row."""
    return TaskRecord.model_validate(
        {name: getattr(row, name) for name in TaskRecord.model_fields if name != "outcome"}
        | {"outcome": TaskResult.model_validate(row.outcome) if row.outcome is not None else None}
    )
